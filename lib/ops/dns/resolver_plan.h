// How each kind of host resolver is told to ask the DNS daemon, for names of its zone and no
// others. Pure: the facts of a host go in, files and commands come out.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/endpoint.h"

namespace banger::ops {

struct HostFacts {
  // The server that libc asks for programs: the first one of /etc/resolv.conf; empty: none.
  std::string name_server;
  bool nss_resolve = false;            // libc asks systemd-resolved, whatever resolv.conf says
  std::optional<int> resolved_version; // systemd-resolved runs
  bool has_network_manager = false;    // it would take a link of ours for its own if not told
  bool resolved_has_port = false, dnsmasq_has_port = false,
       other_has_port = false;     // of name_server
  bool by_network_manager = false; // that dnsmasq is NetworkManager's
  std::string dnsmasq_dir;         // of its config; empty: it reads none
  std::string other;               // "unbound (process 12)"
  bool has_systemd = false;        // it is the service manager
};

struct ResolverFile {
  std::string path, content;
};
using Words = std::vector<std::string>;
struct ResolverPlan {
  std::string resolver; // for people
  std::vector<ResolverFile> files;
  std::vector<Words> put_in;                   // commands that make it know the files
  std::vector<Words> take_out_first, take_out; // before and after they are removed
};

// Each file that a plan makes begins with this.
inline constexpr std::string_view our_mark = "# Made by banger dns install";

// Throws Error(preflight), with a way out, for a host whose resolver cannot be told.
ResolverPlan plan_resolver(const HostFacts& facts, const Endpoint& listen, const std::string& zone);
// Every plan that this host may ever have carried out: uninstall() takes back each of them.
std::vector<ResolverPlan> all_plans(const HostFacts& facts, const Endpoint& listen,
                                    const std::string& zone);

// The directory that dnsmasq reads besides its config file, of its command line and the text of
// that file; empty: none.
std::string dnsmasq_dir_of(const Words& command_line, const std::string& config);
// The config file of its command line.
std::string dnsmasq_config_of(const Words& command_line);
// The first name server of a resolv.conf; empty: none.
std::string name_server_of(const std::string& resolv_conf);
// Whether nsswitch.conf has names of hosts looked for in systemd-resolved.
bool asks_resolved(const std::string& nsswitch_conf);

} // namespace banger::ops
