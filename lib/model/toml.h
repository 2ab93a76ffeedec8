// A TOML file as plain values, each with its line. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace banger {

struct TomlEntry;
using TomlTable = std::vector<TomlEntry>; // by name

struct TomlNode {
  int line = 0;
  // Monostate: of a kind that no setting of banger's has (a date, a list of tables).
  std::variant<std::monostate, std::string, int64_t, bool, std::vector<std::string>, TomlTable>
      value;
  template <typename T>
  const T* as() const {
    return std::get_if<T>(&value);
  }
};

struct TomlEntry {
  std::string name;
  TomlNode node;
};

// Throws Error(usage) that names the file and the line; `path` is for messages.
TomlTable parse_toml(std::string_view text, const std::string& path);

} // namespace banger
