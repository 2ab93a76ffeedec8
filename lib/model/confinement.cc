#include "model/confinement.h"

#include <charconv>

#include <fmt/format.h>

#include "core/text.h"

namespace banger {

namespace {

constexpr std::string_view cell_text = "namespaces", landlock_text = "landlock ";

struct Gap {
  int since; // the version of Landlock that covers it
  bool by_cell, by_network;
  const char* what;
};
constexpr int never = 1 << 30;
// Version 1 forbids what version 2 allows by rules, and version 5 is about devices, of which a VMM
// opens none but its own.
constexpr Gap gaps[] = {{never, true, false, "sockets in directories"},
                        {never, true, false, "a look at processes"},
                        {3, true, false, "cutting files short"},
                        {6, true, false, "signals to processes"},
                        {4, false, true, "TCP"},
                        {6, false, true, "abstract sockets"}};

} // namespace

std::string to_text(const Confinement& c) {
  std::vector<std::string> walls;
  if (c.in_cell) walls.emplace_back(cell_text);
  if (c.landlock > 0) walls.push_back(fmt::format("{}{}", landlock_text, c.landlock));
  return join(walls, ", ");
}

Confinement parse_confinement(std::string_view text) {
  Confinement c{text.starts_with(cell_text), 0};
  if (size_t at = text.find(landlock_text); at != std::string_view::npos) {
    std::string_view number = text.substr(at + landlock_text.size());
    std::from_chars(number.data(), number.data() + number.size(), c.landlock);
  }
  return c;
}

std::vector<std::string> left_open(const Confinement& c, bool own_network) {
  std::vector<std::string> open;
  if (c == Confinement{}) return open;
  for (const Gap& gap : gaps)
    if (c.landlock < gap.since && !(gap.by_cell && c.in_cell) && !(gap.by_network && own_network))
      open.emplace_back(gap.what);
  return open;
}

} // namespace banger
