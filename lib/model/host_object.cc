#include "model/host_object.h"

#include <charconv>
#include <utility>

#include "core/error.h"
#include "core/text.h"

namespace banger {

namespace {

constexpr std::pair<ObjectKind, std::string_view> words[] = {
    {ObjectKind::tap, "tap"},     {ObjectKind::bridge, "bridge"}, {ObjectKind::table, "table"},
    {ObjectKind::netns, "netns"}, {ObjectKind::holder, "holder"}, {ObjectKind::slirp, "slirp"},
    {ObjectKind::dm, "dm"}};

template <typename N>
bool read_number(std::string_view text, N& number) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

} // namespace

std::string_view name_of(ObjectKind kind) {
  for (const auto& [k, word] : words)
    if (k == kind) return word;
  return "?";
}

std::optional<ObjectKind> find_object_kind(std::string_view word) {
  for (const auto& [kind, w] : words)
    if (w == word) return kind;
  return {};
}

ObjectKind parse_object_kind(std::string_view word) {
  if (auto kind = find_object_kind(word)) return *kind;
  throw usage("invalid kind of host object '{}'", word);
}

std::string mapping_name(std::string_view tag, std::string_view vm) {
  return fmt::format("banger-{}-{}-root", tag, vm);
}

std::string mapping_node(std::string_view tag, std::string_view vm) {
  return "/dev/mapper/" + mapping_name(tag, vm);
}

std::string identity_of(const ProcessId& p) {
  return p ? fmt::format("{} {} {}", p.pid, p.start_time, p.boot_id) : std::string();
}

ProcessId parse_process(std::string_view identity) {
  auto parts = split(identity, ' ');
  ProcessId p;
  if (parts.size() != 3 || !read_number(parts[0], p.pid) || !read_number(parts[1], p.start_time))
    return {};
  p.boot_id = parts[2];
  return p;
}

} // namespace banger
