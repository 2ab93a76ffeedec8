#include "sys/owner.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>
#include <unistd.h>

#include "core/error.h"
#include "core/text.h"

namespace banger::sys {

namespace {

// Not getpwuid and the like: a static program has none of their modules.
std::optional<std::string> name_in(const char* table, unsigned id) {
  for (const std::string& line : split(find_content(table).value_or(""), '\n'))
    if (auto fields = split(line, ':'); fields.size() > 2 && fields[2] == std::to_string(id))
      return fields[0];
  return {};
}

// The group's name, its number, its members.
struct Group {
  std::string name;
  gid_t gid = 0;
  std::vector<std::string> members;
};

std::vector<Group> all_groups() {
  std::vector<Group> all;
  for (const std::string& line : split(find_content("/etc/group").value_or(""), '\n')) {
    std::vector<std::string> fields = split(line, ':');
    if (fields.size() < 4) continue;
    gid_t gid{};
    const std::string& digits = fields[2];
    auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), gid);
    if (error == std::errc() && end == digits.data() + digits.size())
      all.push_back({fields[0], gid, split(fields[3], ',')});
  }
  return all;
}

} // namespace

std::optional<std::string> user_name(uid_t uid) { return name_in("/etc/passwd", uid); }

std::string owner_text(uid_t uid) {
  auto name = user_name(uid);
  return name ? fmt::format("'{}'", *name) : fmt::format("user {}", uid);
}

void require_own(const char* what, const std::string& dir, std::optional<FileInfo> info,
                 const std::string& otherwise) {
  bool is_there = info.has_value();
  for (std::string above = dir; !info && above.size() > 1; info = find_info(above))
    above.resize(std::max<size_t>(above.rfind('/'), 1));
  uid_t self = ::geteuid();
  if (!info || info->uid == self) return;
  // A missing directory below one of root's, or of everybody's, will be this user's own.
  if (!is_there && (info->uid == 0 || (info->mode & 002) != 0)) return;
  std::string owner = owner_text(info->uid);
  throw preflight("the {} directory '{}' belongs to {}{}", what, dir, owner,
                  self == 0 ? ", and this is root" : "")
      .subject(dir)
      .hint(self == 0 ? fmt::format("run banger as {}, without sudo; or {}", owner, otherwise)
                      : otherwise);
}

std::optional<std::string> find_not_roots(std::string path) {
  for (;;) {
    auto info = find_link_info(path);
    bool sticky = info && info->is_dir && (info->mode & 01000);
    if (!info || info->uid != 0 || ((info->mode & 022) && !sticky)) return path;
    if (path == "/") return {};
    size_t slash = path.rfind('/');
    path.resize(slash == 0 ? 1 : slash);
  }
}

std::string how_to_own(const std::string& dir) {
  uid_t self = ::geteuid();
  auto is_anothers = [&](const std::string& path) {
    auto info = find_link_info(path);
    return info && info->uid != self;
  };
  auto any_in = [&](const std::string& place, const auto& is) {
    try {
      auto names = list_dir(place);
      return std::ranges::any_of(names, [&](auto& name) { return is(place + "/" + name); });
    } catch (const Error&) {
      return false; // no directory, or closed to us: that itself is another's
    }
  };
  bool found = any_in(
      dir, [&](const std::string& path) { return is_anothers(path) || any_in(path, is_anothers); });
  if (!found) return {};
  return fmt::format("sudo chown -R {}: {}", self, shell_quote(dir));
}

std::optional<std::string> group_name(gid_t gid) { return name_in("/etc/group", gid); }

std::optional<gid_t> group_id(std::string_view name) {
  for (const Group& group : all_groups())
    if (group.name == name) return group.gid;
  return {};
}

std::vector<gid_t> groups_of(uid_t uid) {
  std::vector<gid_t> all;
  auto user = user_name(uid);
  if (!user) return all;
  for (const Group& group : all_groups())
    if (std::ranges::count(group.members, *user) > 0) all.push_back(group.gid);
  return all;
}

} // namespace banger::sys
