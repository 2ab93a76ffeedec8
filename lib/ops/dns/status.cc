#include "ops/dns/status.h"

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "ops/common/open.h"

namespace banger::ops {

namespace {

bool a_vm_runs(const Settings& settings, const Dirs& dirs) {
  for (const Vm& vm : Reading(settings, dirs).state.busy_vms())
    if (is_live(vm.state)) return true;
  return false;
}

} // namespace

DnsStatus dns_status(const Settings& settings, const Dirs& dirs, Millis patience) {
  DnsStatus status{find_dns_daemon(dirs), {}, {}};
  if (status.daemon)
    status.host = look_at_resolver(dirs, *status.daemon, patience);
  else
    status.holder = find_port_holder(settings.dns_listen);
  return status;
}

std::string why_names_fail(const DnsStatus& s, const Settings& settings) {
  if (s.holder)
    return fmt::format("no DNS daemon: {} belongs to {}", to_text(settings.dns_listen),
                       to_text(*s.holder));
  if (!s.daemon) return "there is no DNS daemon";
  if (!s.daemon->reads_state) return "the DNS daemon cannot read the state";
  std::string listen = to_text(s.daemon->listen);
  if (!s.host->asks)
    return fmt::format("whether this host's resolver asks {} cannot be told: {}", listen,
                       s.host->how);
  return *s.host->asks ? "" : fmt::format("this host's resolver does not ask {}", listen);
}

Check check_names(const Settings& settings, const Dirs& dirs) {
  auto warn = [](std::string found, std::string fix) {
    return Check{"names", Verdict::warn, std::move(found), std::move(fix)};
  };
  try {
    DnsStatus s = dns_status(settings, dirs);
    std::string fault = why_names_fail(s, settings);
    if (s.holder)
      return warn(fault, "set dns.listen to an address of 127.0.0.0/8 or a port that is free");
    if (!s.daemon && (a_vm_runs(settings, dirs) || !settings.dns_autostart))
      return warn(fault, "banger dns start");
    if (!s.daemon)
      return {"names", Verdict::ok, "the first VM that is started starts the DNS daemon", {}};
    if (!s.daemon->reads_state) return warn(fault, "see " + dirs.log_file());
    if (!fault.empty()) return warn(fault, "sudo banger dns install");
    return {"names",
            Verdict::ok,
            fmt::format("this host's resolver asks {} for .{}", to_text(s.daemon->listen),
                        s.daemon->zone),
            {}};
  } catch (const Error& e) {
    return warn(e.message(), e.hint().empty() ? "banger dns restart" : e.hint());
  }
}

Json to_json(const DnsStatus& status, const Settings& settings, const Dirs& dirs) {
  const auto& d = status.daemon;
  const auto& h = status.holder;
  auto of_daemon = [&](auto value) { return d ? Json(value(*d)) : Json(); };
  return {{"listen", to_text(d ? d->listen : settings.dns_listen)},
          {"zone", d ? d->zone : settings.dns_zone},
          {"pid", of_daemon([](const DnsDaemon& x) { return x.process.pid; })},
          {"version", of_daemon([](const DnsDaemon& x) { return x.version; })},
          {"reads_state", of_daemon([](const DnsDaemon& x) { return x.reads_state; })},
          {"records", of_daemon([](const DnsDaemon& x) { return 2 * x.hosts; })},
          {"queries", of_daemon([](const DnsDaemon& x) { return x.queries; })},
          {"generation", of_daemon([](const DnsDaemon& x) { return x.generation; })},
          {"background", of_daemon([](const DnsDaemon& x) { return x.background; })},
          {"idle", d && d->idle ? Json(Seconds(*d->idle).count()) : Json()},
          {"host", status.host
                       ? Json{{"asks", status.host->asks ? Json(*status.host->asks) : Json()},
                              {"how", status.host->how}}
                       : Json()},
          {"holder", h ? Json{{"pid", h->process.pid},
                              {"comm", h->comm},
                              {"state", h->state.empty() ? Json() : Json(h->state)}}
                       : Json()},
          {"log", dirs.log_file()}};
}

} // namespace banger::ops
