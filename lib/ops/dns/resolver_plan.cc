#include "ops/dns/resolver_plan.h"

#include <sstream>

#include "core/error.h"
#include "core/text.h"

namespace banger::ops {

namespace {

constexpr int first_with_delegates = 258, first_with_ports = 246;
constexpr std::string_view link = "banger-dns", link_unit = "banger-dns-link.service";

std::string file_of(const std::string& body) { return fmt::format("{}\n{}", our_mark, body); }

// systemd.dns-delegate(5).
ResolverPlan by_delegate(const Endpoint& listen, const std::string& zone) {
  Words reload{"systemctl", "reload-or-restart", "systemd-resolved.service"};
  return {"systemd-resolved, by a delegate",
          {{"/etc/systemd/dns-delegate.d/banger.dns-delegate",
            file_of(fmt::format("[Delegate]\nDNS={}\nDomains=~{}\n", to_text(listen), zone))}},
          {reload},
          {},
          {reload}};
}

// A server in resolved.conf would be asked for every name. A link's server is asked for the link's
// domains alone; resolved counts a link that is up and has an address that is no loopback's.
ResolverPlan by_link(const HostFacts& facts, const Endpoint& listen, const std::string& zone) {
  std::string unit = fmt::format("[Unit]\n"
                                 "Description=Where systemd-resolved asks for names of VMs\n"
                                 "After=systemd-resolved.service\n"
                                 "PartOf=systemd-resolved.service\n"
                                 "CollectMode=inactive-or-failed\n\n"
                                 "[Service]\n"
                                 "Type=oneshot\n"
                                 "RemainAfterExit=yes\n"
                                 "ExecStartPre=-ip link delete {0}\n"
                                 "ExecStart=ip link add {0} type dummy\n"
                                 "ExecStart=ip address add 192.0.2.53/32 dev {0}\n"
                                 "ExecStart=ip link set {0} up\n"
                                 "ExecStart=resolvectl dns {0} {1}\n"
                                 "ExecStart=resolvectl domain {0} ~{2}\n"
                                 "ExecStart=resolvectl default-route {0} no\n"
                                 "ExecStart=resolvectl llmnr {0} no\n"
                                 "ExecStart=resolvectl mdns {0} no\n"
                                 "ExecStart=resolvectl dnssec {0} no\n"
                                 "ExecStopPost=ip link delete {0}\n\n" // after a failed start, too
                                 "[Install]\n"
                                 "WantedBy=systemd-resolved.service\n",
                                 link, to_text(listen), zone);
  std::string name(link_unit);
  ResolverPlan plan{"systemd-resolved, by a link of its own",
                    {{"/etc/systemd/system/" + name, file_of(unit)}},
                    {{"systemctl", "daemon-reload"}, {"systemctl", "enable", "--now", name}},
                    {{"systemctl", "disable", "--now", name}},
                    {{"systemctl", "daemon-reload"}}};
  if (facts.has_network_manager) {
    plan.files.push_back(
        {"/etc/NetworkManager/conf.d/banger-dns.conf",
         file_of(fmt::format("[device-{0}]\nmatch-device=interface-name:{0}\nmanaged=0\n", link))});
    Words reload{"systemctl", "reload", "NetworkManager.service"};
    plan.put_in.insert(plan.put_in.begin(), reload);
    plan.take_out.push_back(reload);
  }
  return plan;
}

// The addresses of VMs are loopback's, which --stop-dns-rebind would hold back.
std::string dnsmasq_config(const Endpoint& listen, const std::string& zone) {
  return file_of(fmt::format("server=/{0}/{1}#{2}\nrebind-domain-ok=/{0}/\n", zone,
                             to_text(listen.address), listen.port));
}

ResolverPlan by_network_manager(const Endpoint& listen, const std::string& zone) {
  Words reload{"nmcli", "general", "reload", "dns-full"};
  return {"dnsmasq, which NetworkManager runs",
          {{"/etc/NetworkManager/dnsmasq.d/banger.conf", dnsmasq_config(listen, zone)}},
          {reload},
          {},
          {reload}};
}

ResolverPlan by_dnsmasq(const HostFacts& facts, const std::string& dir, const Endpoint& listen,
                        const std::string& zone) {
  Words restart = facts.has_systemd ? Words{"systemctl", "restart", "dnsmasq.service"}
                                    : Words{"service", "dnsmasq", "restart"};
  return {
      "dnsmasq", {{dir + "/banger.conf", dnsmasq_config(listen, zone)}}, {restart}, {}, {restart}};
}

Error cannot(const std::string& why, const std::string& hint) {
  return preflight("cannot have this host's programs find VMs by name: {}", why).hint(hint);
}

} // namespace

ResolverPlan plan_resolver(const HostFacts& facts, const Endpoint& listen,
                           const std::string& zone) {
  if (facts.resolved_version && (facts.nss_resolve || facts.resolved_has_port)) {
    if (*facts.resolved_version >= first_with_delegates) return by_delegate(listen, zone);
    if (*facts.resolved_version >= first_with_ports) return by_link(facts, listen, zone);
    throw cannot(
        fmt::format("systemd-resolved of version {} cannot ask at a port", *facts.resolved_version),
        "with dns.listen at port 53 it can be told by hand");
  }
  if (facts.dnsmasq_has_port && facts.by_network_manager) return by_network_manager(listen, zone);
  if (facts.dnsmasq_has_port) {
    if (facts.dnsmasq_dir.empty())
      throw cannot("its dnsmasq reads no directory of config files",
                   "add conf-dir=/etc/dnsmasq.d,*.conf to its config, and try again");
    return by_dnsmasq(facts, facts.dnsmasq_dir, listen, zone);
  }
  if (facts.other_has_port)
    throw cannot(fmt::format("they ask {} at {}, which banger does not know", facts.other,
                             facts.name_server),
                 fmt::format("have it ask {} for '{}'", to_text(listen), zone));
  throw cannot(
      facts.name_server.empty()
          ? "/etc/resolv.conf names no server"
          : fmt::format("they ask {} themselves (/etc/resolv.conf), for all names alike",
                        facts.name_server),
      "systemd-resolved or dnsmasq as this host's resolver can be told; banger ssh NAME and "
      "banger dns resolve NAME need no resolver");
}

std::vector<ResolverPlan> all_plans(const HostFacts& facts, const Endpoint& listen,
                                    const std::string& zone) {
  std::vector<ResolverPlan> all{by_delegate(listen, zone), by_network_manager(listen, zone),
                                by_dnsmasq(facts, "/etc/dnsmasq.d", listen, zone)};
  if (!facts.dnsmasq_dir.empty() && facts.dnsmasq_dir != "/etc/dnsmasq.d")
    all.push_back(by_dnsmasq(facts, facts.dnsmasq_dir, listen, zone));
  HostFacts with = facts;
  with.has_network_manager = true; // its file, too, if it is there
  all.push_back(by_link(with, listen, zone));
  if (!facts.has_network_manager) all.back().take_out.pop_back();
  return all;
}

namespace {

// The value of an option as dnsmasq takes it: "-7 V", "-7V", "--conf-dir=V", "--conf-dir V".
std::string option_of(const Words& words, const std::string& brief, const std::string& full) {
  std::string value;
  for (size_t i = 0; i < words.size(); i++) {
    const std::string& word = words[i];
    if (word == brief || word == full)
      value = i + 1 < words.size() ? words[i + 1] : "";
    else if (word.starts_with(full + "="))
      value = word.substr(full.size() + 1);
    else if (word.starts_with(brief) && !word.starts_with("--"))
      value = word.substr(brief.size());
  }
  return value;
}

std::string until_comma(const std::string& text) { return text.substr(0, text.find(',')); }

// Lines without comments and blanks around them.
std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (const std::string& line : split(text, '\n'))
    if (auto bare = trim(std::string_view(line).substr(0, line.find('#'))); !bare.empty())
      lines.emplace_back(bare);
  return lines;
}

} // namespace

std::string dnsmasq_dir_of(const Words& command_line, const std::string& config) {
  std::string dir = option_of(command_line, "-7", "--conf-dir");
  if (dir.empty())
    for (const std::string& line : lines_of(config))
      if (line.starts_with("conf-dir"))
        if (size_t at = line.find('='); at != std::string::npos)
          dir = trim(std::string_view(line).substr(at + 1));
  dir = until_comma(dir);
  while (dir.size() > 1 && dir.ends_with('/')) dir.pop_back();
  return dir;
}

std::string dnsmasq_config_of(const Words& command_line) {
  std::string file = option_of(command_line, "-C", "--conf-file");
  return file.empty() ? "/etc/dnsmasq.conf" : file;
}

std::string name_server_of(const std::string& resolv_conf) {
  for (const std::string& line : lines_of(resolv_conf)) {
    std::istringstream words(line);
    std::string key, address;
    if (words >> key >> address && key == "nameserver") return address;
  }
  return {};
}

bool asks_resolved(const std::string& nsswitch_conf) {
  for (const std::string& line : lines_of(nsswitch_conf)) {
    if (!line.starts_with("hosts:")) continue;
    std::istringstream words(line);
    for (std::string word; words >> word;)
      if (word == "resolve") return true;
  }
  return false;
}

} // namespace banger::ops
