// The config file: which key stands where, and what is said of one that may not.
#include "cli/config.h"
#include "core/error.h"
#include "core/text.h"
#include "model/toml.h"

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
std::optional<std::string> value_text(const TomlNode& node, Form form) {
  bool number_too = form == Form::number || form == Form::size || form == Form::duration;
  if (auto number = node.as<int64_t>(); number && number_too) return std::to_string(*number);
  if (auto boolean = node.as<bool>(); boolean && form == Form::boolean)
    return *boolean ? "true" : "false";
  if (auto text = node.as<std::string>(); text && form != Form::number && form != Form::boolean)
    return *text;
  return std::nullopt;
}

class Reader {
public:
  Reader(Settings& settings, const std::string& path) : settings_(settings), path_(path) {}

  void table(const TomlTable& table, std::string_view section) {
    for (const auto& [name, node] : table) {
      if (auto inner = node.as<TomlTable>(); inner && section.empty() && is_section(name)) {
        this->table(*inner, name);
        continue;
      }
      set(section, name, node);
    }
  }

private:
  std::string where(const TomlNode& node) const { return fmt::format("{}:{}", path_, node.line); }

  void set(std::string_view section, std::string_view name, const TomlNode& node) {
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

  Error unknown(const std::string& full, const TomlNode& node) const {
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
  Reader(settings, path).table(parse_toml(text, path), "");
}

} // namespace banger::cli
