#include "sys/port_owner.h"

#include <sstream>

#include <arpa/inet.h>
#include <fmt/format.h>

#include "core/error.h"
#include "core/text.h"
#include "sys/file.h"

namespace banger::sys {

namespace {

// As in proc(5), /proc/net/tcp: "  0: 0100007F:1F90 00000000:0000 0A … INODE …", the address in the
// host's byte order. A TCP socket that only has a connection at that port is in nobody's way.
std::optional<std::string> find_inode(const std::string& table, const std::string& suffix,
                                      bool must_listen) {
  std::istringstream lines(read_file("/proc/net/" + table));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string number, local, remote, state, queues, timer, retransmits, uid, timeout, inode;
    words >> number >> local >> remote >> state >> queues >> timer >> retransmits >> uid >>
        timeout >> inode;
    if (!local.ends_with(suffix) || (must_listen && state != "0A") || inode == "0") continue;
    return inode;
  }
  return {};
}

bool has_socket(int pid, const std::string& inode) {
  std::string dir = fmt::format("/proc/{}/fd", pid), socket = fmt::format("socket:[{}]", inode);
  try {
    for (const std::string& fd : list_dir(dir))
      if (read_link(dir + "/" + fd) == socket) return true;
  } catch (const Error&) { // another user's, or just gone
  }
  return false;
}

} // namespace

std::optional<ProcessInfo> find_port_owner(const std::string& proto, const std::string& address,
                                           int port) {
  auto owners = find_port_owners(proto, address, port);
  if (owners.empty()) return {};
  return std::move(owners.front());
}

std::vector<ProcessInfo> find_port_owners(const std::string& proto, const std::string& address,
                                          int port) {
  in_addr at{};
  if (::inet_pton(AF_INET, address.c_str(), &at) != 1) return {};
  bool tcp = proto == "tcp";
  std::optional<std::string> inode;
  for (uint32_t a : {at.s_addr, uint32_t{INADDR_ANY}})
    if (!inode) inode = find_inode(proto, fmt::format("{:08X}:{:04X}", a, port), tcp);
  // One that listens at all addresses of IPv6 has all of IPv4 as well.
  if (!inode && exists("/proc/net/" + proto + "6"))
    inode = find_inode(proto + "6", fmt::format("{:032X}:{:04X}", 0, port), tcp);
  if (!inode) return {};
  std::vector<ProcessInfo> owners = list_processes();
  std::erase_if(owners, [&](const ProcessInfo& p) { return !has_socket(p.id.pid, *inode); });
  return owners;
}

std::string tell_port_owner(const std::string& proto, const std::string& address, int port) {
  auto owner = find_port_owner(proto, address, port);
  if (!owner) return "another program";
  return fmt::format("{} (process {})", escape_for_terminal(owner->comm), owner->id.pid);
}

} // namespace banger::sys
