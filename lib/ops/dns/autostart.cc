#include "ops/dns/autostart.h"

#include "core/version.h"
#include "sys/file.h"

namespace banger::ops {

namespace {

// A daemon that runs answers at once; a daemon that is stuck must not keep a VM from starting.
constexpr Millis time_to_say{200}, time_to_begin{2'000};
constexpr Millis time_without_vms{60'000};

constexpr const char* told = "dns.told"; // the kind of fault told last; empty: all was well

// The kind of a fault, by which it is told again or not. The words of a conflict would not do: they
// name a process, which may be another each time.
std::string kind_of(const Error& e, const Endpoint& listen) {
  if (e.code() != Code::conflict) return e.message();
  auto holder = find_port_holder(listen);
  return fmt::format("{} {} {}", to_text(listen), holder ? holder->comm : "",
                     holder ? holder->state : "");
}

} // namespace

bool is_outdated(const DnsDaemon& daemon, const Dirs& dirs) {
  if (is_older(daemon.version, version())) return true;
  if (daemon.version != version()) return false;
  // proc(5): the kernel appends " (deleted)" to the name of a file that was removed or replaced.
  auto program = sys::read_link(fmt::format("/proc/{}/exe", daemon.process.pid));
  return program == dirs.bin + "/banger-dns (deleted)";
}

void DnsAutostart::begin() {
  std::call_once(once_, [&] {
    try {
      look();
    } catch (const Error& e) {
      fault_ = e;
    }
  });
}

void DnsAutostart::look() {
  if (!ctx_.settings.dns_autostart) return;
  DnsStart::How how{false, time_without_vms};
  if (auto there = find_dns_daemon(ctx_.dirs, time_to_say)) {
    if (!is_outdated(*there, ctx_.dirs)) return;
    if (!there->background) {
      outdated_ = std::move(there);
      return;
    }
    how = {true, there->idle};
  }
  start_ = std::make_unique<DnsStart>(ctx_.settings, ctx_.dirs, how, common_);
}

void DnsAutostart::settle() {
  std::string kind, text;
  try {
    if (fault_) throw *std::exchange(fault_, {});
    if (!ctx_.settings.dns_autostart) return;
    if (auto start = std::exchange(start_, nullptr); start && !start->wait(time_to_begin))
      throw timed_out("the DNS daemon does not answer yet").hint("banger dns status tells more");
    if (outdated_) {
      kind = fmt::format("outdated {}", outdated_->version);
      text = fmt::format("the DNS daemon (process {}) is of banger {}, and somebody else's to "
                         "start again: with systemd, systemctl --user restart banger-dns",
                         outdated_->process.pid, outdated_->version);
    }
  } catch (const Error& e) {
    ctx_.log.warn("dns.not_started", e);
    kind = kind_of(e, ctx_.settings.dns_listen);
    text = e.message();
    if (!e.hint().empty()) text += "; " + e.hint();
    text += "; dns.autostart = false starts none";
  }
  try {
    if (ctx_.state.fact(told).value_or("") == kind) return;
    ctx_.state.set_fact(told, kind, Outlives::process);
  } catch (const Error& e) {
    ctx_.log.warn("dns.not_told", e);
  }
  if (!text.empty()) ctx_.notice(text);
}

} // namespace banger::ops
