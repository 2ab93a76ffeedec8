#include "ops/host/helper_support.h"

#include <cstring>

#include <endian.h>
#include <linux/capability.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "core/text.h"
#include "core/units.h"
#include "helper/client.h"
#include "ops/common/rights.h"
#include "ops/host/checks.h"
#include "sys/owner.h"
#include "sys/proc.h"

namespace banger::ops {

namespace {

struct Needed {
  int bit;
  const char* name;
};
// setuid: it becomes root's process, which its caller cannot stop. The rest is what it does then.
constexpr Needed needed[] = {{CAP_CHOWN, "cap_chown"},
                             {CAP_FOWNER, "cap_fowner"},
                             {CAP_SETGID, "cap_setgid"},
                             {CAP_SETUID, "cap_setuid"},
                             {CAP_NET_BIND_SERVICE, "cap_net_bind_service"},
                             {CAP_NET_ADMIN, "cap_net_admin"},
                             {CAP_NET_RAW, "cap_net_raw"},
                             {CAP_SYS_ADMIN, "cap_sys_admin"},
                             {CAP_SYS_NICE, "cap_sys_nice"},
                             {CAP_SYS_RESOURCE, "cap_sys_resource"},
                             {CAP_MKNOD, "cap_mknod"},
                             {CAP_LEASE, "cap_lease"}};
constexpr const char* group = "banger";

std::string this_user() {
  return sys::user_name(::geteuid()).value_or(fmt::format("#{}", ::geteuid()));
}

// A rule of sudo for exactly that program, without words.
std::string by_sudo(const std::string& program) {
  return fmt::format("echo '{} ALL=(root) NOPASSWD: {} \"\"' | sudo tee /etc/sudoers.d/banger",
                     this_user(), program);
}

// Another group, or another owner, takes the capabilities away: they are set last.
std::string by_capabilities(const std::string& program) {
  std::string all;
  for (const Needed& n : needed) all += (all.empty() ? "" : ",") + std::string(n.name);
  return fmt::format("sudo groupadd -f -r {0} && sudo usermod -a -G {0} {1} && sudo chgrp {0} {2} "
                     "&& sudo chmod 750 {2} && sudo setcap {3}+ep {2}",
                     group, this_user(), shell_quote(program), all);
}

std::string attribute_of(const std::string& program) {
  std::string content(64, '\0');
  ssize_t size = ::getxattr(program.c_str(), "security.capability", content.data(), content.size());
  content.resize(size < 0 ? 0 : static_cast<size_t>(size));
  return content;
}

std::string in_force(const helper::Limits& l) {
  std::string who = l.users.empty() && l.groups.empty() ? "" : "; for those whom root named";
  std::string subnets;
  for (const Prefix& p : l.bridge.subnets) subnets += (subnets.empty() ? "" : " ") + to_text(p);
  return fmt::format("{} bridges of {}, {} disks of {}, {} together ({}{})", l.bridge.bridges,
                     subnets, l.disk.disks, format_size(l.disk.size), format_size(l.disk.total),
                     l.from_file ? helper::limits_file : "by default", who);
}

// What is wrong with a file that has capabilities; none: nothing.
std::optional<Check> check_capabilities(const std::string& program) {
  std::string attribute = attribute_of(program);
  if (attribute.empty()) return {};
  std::string fix = by_capabilities(program);
  auto there = file_capabilities(attribute);
  auto missing = missing_capabilities(there.value_or(0));
  if (!missing.empty())
    return Check{"helper", Verdict::warn,
                 fmt::format("'{}' has capabilities, but not {}", program, missing.front()), fix};
  struct stat st {};
  if (::stat(program.c_str(), &st) != 0) throw sys_error(errno, "cannot look at '{}'", program);
  std::string its_group = sys::group_name(st.st_gid).value_or(std::to_string(st.st_gid));
  if (st.st_mode & S_IXOTH)
    return Check{"helper", Verdict::warn,
                 fmt::format("'{}' has capabilities, and everyone may start it", program),
                 fmt::format("sudo chmod 750 {}", shell_quote(program))};
  if (!sys::is_root() && ::access(program.c_str(), X_OK) != 0)
    return Check{
        "helper", Verdict::warn,
        fmt::format("'{}' is for group '{}', and this login is not in it", program, its_group),
        fmt::format("sudo usermod -a -G {} {}, and log in again", its_group, this_user())};
  return {};
}

} // namespace

std::optional<uint64_t> file_capabilities(const std::string& attribute) {
  // The magic number, and twice 32 bits of the permitted and of the inheritable ones.
  uint32_t words[5] = {};
  if (attribute.size() < sizeof words) return {};
  std::memcpy(words, attribute.data(), sizeof words);
  uint32_t revision = le32toh(words[0]) & VFS_CAP_REVISION_MASK;
  bool known = revision == VFS_CAP_REVISION_2 || revision == VFS_CAP_REVISION_3;
  if (!known || !(le32toh(words[0]) & VFS_CAP_FLAGS_EFFECTIVE)) return {};
  return le32toh(words[1]) | uint64_t{le32toh(words[3])} << 32;
}

std::vector<std::string> missing_capabilities(uint64_t there) {
  std::vector<std::string> missing;
  for (const Needed& n : needed)
    if (!(there >> n.bit & 1)) missing.emplace_back(n.name);
  return missing;
}

std::string how_to_use_helper(const Dirs& dirs, const Error& fault) {
  bool by_rights = !sys::is_root() && fault.hint().starts_with("banger doctor");
  if (!by_rights) return fault.hint();
  std::string program = helper_way(dirs).program;
  return fmt::format("{}  # or, without sudo: {}", by_sudo(program), by_capabilities(program));
}

Check check_helper(const Host& host) {
  std::optional<HelperWay> way;
  try {
    way = helper_way(host.dirs);
    auto fault = check_capabilities(way->program);
    helper::Limits limits = helper::Client(helper_command(host.dirs)).limits();
    if (fault && way->way != HelperWay::root) return *fault;
    const char* by = way->way == HelperWay::root           ? "root"
                     : way->way == HelperWay::capabilities ? "its capabilities"
                                                           : "sudo";
    return {"helper", Verdict::ok, fmt::format("by {}: {}", by, in_force(limits)), {}};
  } catch (const Error& e) {
    // Of the two ways the one that somebody began with is the one to be mended.
    bool by_rights = e.hint().starts_with("banger doctor");
    if (by_rights && way)
      if (auto fault = check_capabilities(way->program)) return *fault;
    return {"helper", Verdict::warn, e.message(), how_to_use_helper(host.dirs, e)};
  }
}

} // namespace banger::ops
