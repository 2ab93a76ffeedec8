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

#include "core/error.h"
#include "model/toml.h"

namespace banger {

namespace {

TomlTable table_of(const toml::table& table);

TomlNode node_of(const toml::node& node) {
  TomlNode out;
  out.line = static_cast<int>(node.source().begin.line);
  if (auto text = node.as_string()) {
    out.value = text->get();
  } else if (auto number = node.as_integer()) {
    out.value = number->get();
  } else if (auto boolean = node.as_boolean()) {
    out.value = boolean->get();
  } else if (auto table = node.as_table()) {
    out.value = table_of(*table);
  } else if (auto array = node.as_array()) {
    std::vector<std::string> list;
    for (const toml::node& each : *array)
      if (auto word = each.as_string()) list.push_back(word->get());
    if (list.size() == array->size()) out.value = std::move(list);
  }
  return out;
}

TomlTable table_of(const toml::table& table) {
  TomlTable out;
  for (auto&& [key, node] : table) out.push_back({std::string(key.str()), node_of(node)});
  return out;
}

} // namespace

TomlTable parse_toml(std::string_view text, const std::string& path) {
  toml::parse_result result = toml::parse(text);
  if (!result) {
    const auto& fault = result.error();
    throw usage("{}:{}: {}", path, fault.source().begin.line, fault.description())
        .subject(path)
        .hint("the file is TOML: key = \"value\" below a [section]");
  }
  return table_of(result.table());
}

} // namespace banger
