// The only file that sees toml++: its headers are costly to compile, and the tools pay for parsing
// only where there is a config file.
//
// Some of its assertions are about what stands in the file (a header '[.a]' trips one). They must
// neither abort, as they do in a debug build, nor be taken for facts by the compiler, as in a
// release build; without them it reports the fault like any other.
#undef NDEBUG
#define TOML_ASSERT(condition) static_cast<void>(0)
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

#include "cli/config.h"
#include "core/error.h"
#include "core/text.h"

namespace banger::cli {

namespace {

std::string_view type_name(Form form) {
  switch (form) {
  case Form::text:
    return "a string";
  case Form::number:
    return "a whole number";
  case Form::boolean:
    return "true or false, without quotes";
  case Form::size:
    return "a size: \"512M\", or a number of bytes";
  case Form::duration:
    return "a duration: \"30s\", or a number of seconds";
  }
  return "something else";
}

bool is_section(std::string_view name) {
  for (const ConfigKey& key : config_keys())
    if (!key.section.empty() && key.section == name) return true;
  return false;
}

// The value as it would stand in the environment; none if it has the wrong type.
std::optional<std::string> value_text(const toml::node& node, Form form) {
  bool number_too = form == Form::number || form == Form::size || form == Form::duration;
  if (number_too && node.is_integer()) return std::to_string(node.as_integer()->get());
  if (form == Form::boolean && node.is_boolean())
    return node.as_boolean()->get() ? "true" : "false";
  if (form != Form::number && form != Form::boolean && node.is_string())
    return node.as_string()->get();
  return std::nullopt;
}

class Reader {
public:
  Reader(Settings& settings, const std::string& path) : settings_(settings), path_(path) {}

  void table(const toml::table& table, std::string_view section) {
    for (auto&& [key, node] : table) {
      std::string_view name = key.str();
      if (section.empty() && node.is_table() && is_section(name)) {
        this->table(*node.as_table(), name);
        continue;
      }
      set(section, name, node);
    }
  }

private:
  std::string where(const toml::node& node) const {
    return fmt::format("{}:{}", path_, node.source().begin.line);
  }

  void set(std::string_view section, std::string_view name, const toml::node& node) {
    const ConfigKey* key = nullptr;
    for (const ConfigKey& k : config_keys())
      if (k.section == section && k.name == name) key = &k;
    std::string full = section.empty() ? std::string(name) : fmt::format("{}.{}", section, name);
    if (key == nullptr) throw unknown(full, node);
    Target target = key->in(settings_);
    auto text = value_text(node, target.form());
    if (!text)
      throw usage("{}: invalid value of '{}': it must be {}", where(node), full,
                  type_name(target.form()))
          .subject(full);
    try {
      target.take(full, *text);
    } catch (Error& e) {
      if (e.message().find(full) == std::string::npos) e.within(full);
      e.within(where(node));
      e.default_subject(full);
      throw;
    }
  }

  Error unknown(const std::string& full, const toml::node& node) const {
    auto error = usage("{}: unknown key '{}'", where(node), full).subject(full);
    if (is_section(full)) {
      error.default_hint(fmt::format("'{0}' is a section: write [{0}]", full));
      return error;
    }
    std::vector<std::string> names;
    for (const ConfigKey& k : config_keys()) names.push_back(k.full_name());
    auto near = did_you_mean(full, names);
    error.default_hint(near ? fmt::format("did you mean '{}'?", *near)
                            : "'man banger-config' lists the keys");
    return error;
  }

  Settings& settings_;
  const std::string& path_;
};

} // namespace

void apply_config_file(Settings& settings, std::string_view text, const std::string& path) {
  toml::parse_result result = toml::parse(text);
  if (!result) {
    const auto& fault = result.error();
    throw usage("{}:{}: {}", path, fault.source().begin.line, fault.description())
        .subject(path)
        .hint("the file is TOML: key = \"value\" below a [section]");
  }
  Reader(settings, path).table(result.table(), "");
}

} // namespace banger::cli
