#include "ops/smoke/smoke.h"

#include <algorithm>
#include <csignal>
#include <exception>
#include <thread>

#include "core/text.h"
#include "core/undo.h"
#include "helper/client.h"
#include "net/plan.h"
#include "ops/common/open.h"
#include "ops/common/rights.h"
#include "ops/net/bridge.h"
#include "ops/query/net_status.h"
#include "ops/query/probe.h"
#include "ops/recover/leaks.h"
#include "ops/vm/remove.h"
#include "ops/vm/run.h"
#include "sys/inet.h"
#include "sys/signals.h"
#include "sys/socket.h"

namespace banger::ops {

namespace {

constexpr int ssh_port = 22; // it listens in every guest
constexpr const char* loopback = "127.0.0.1";

Check failure(const std::string& id, const Error& e) {
  std::string fix = e.hint();
  if (!e.log().empty()) fix += (fix.empty() ? "" : "\n") + ("less " + e.log());
  return {id, Verdict::missing, e.message(), fix};
}

// What a setting of the user's keeps from arriving is no fault of the host's, nor is what lies
// beyond it, where the host does not get either. A fix that names the VM comes too late.
Check check_of(const Vm& vm, const ProbeTry& t) {
  using Outcome = ProbeTry::Outcome;
  Check check{t.test, Verdict::ok, t.to.empty() ? t.found : fmt::format("{}: {}", t.to, t.found),
              t.fix.find(vm.name) == std::string::npos ? t.fix : ""};
  if (!t.at.empty()) check.found += fmt::format(" ({})", t.at);
  if (t.outcome == Outcome::ok) return check;
  bool says_nothing =
      t.outcome == Outcome::skipped || t.by == Barrier::setting || t.by == Barrier::outside;
  check.verdict = says_nothing ? Verdict::warn : Verdict::missing;
  if (says_nothing) check.found = "not tried: " + check.found;
  return check;
}

std::string_view accel_of(const Vm& vm) { return vm.accel ? name_of(*vm.accel) : "?"; }

// What the host has of this VM, told apart from what was there before.
class Remains {
public:
  explicit Remains(Reader& in) : in_(in), before_(names()) {}

  Check check(const std::string& id, int port) {
    std::vector<std::string> left;
    for (std::string& name : names())
      if (std::ranges::find(before_, name) == before_.end()) left.push_back(std::move(name));
    for (const HostObject& o : in_.state.host_objects_of(id))
      left.push_back(fmt::format("the row of {} '{}'", name_of(o.kind), o.name));
    if (in_.state.find_vm_by_id(id)) left.push_back("its row");
    if (!sys::can_bind_tcp(loopback, port))
      left.push_back(fmt::format("port {}:{}", loopback, port));
    if (!left.empty())
      return {"left", Verdict::missing, "left behind: " + join(left, ", "), "banger doctor --fix"};
    if (!unseen_.empty()) return {"left", Verdict::warn, "nothing is left; " + unseen_, mend_};
    return {"left", Verdict::ok, "nothing is left of it", {}};
  }

private:
  std::vector<std::string> names() {
    std::vector<std::string> all;
    for (const Leak& l : find_leaks(in_, [&](const std::string&what, const std::string&mend) {
           unseen_ = what;
           mend_ = mend;
         }))
      all.push_back(fmt::format("{} {}", l.object, l.name));
    return all;
  }

  Reader& in_;
  std::string unseen_, mend_;
  std::vector<std::string> before_;
};

class Smoke {
public:
  Smoke(Context& ctx, const SmokeRequest& request, const std::function<void(const Check&)>& tell)
      : ctx_(ctx), request_(request), tell_(tell) {}

  std::optional<Code> run() {
    sys::Signals held({SIGINT, SIGTERM, SIGHUP});
    Remains remains(ctx_);
    {
      Undo undo(ctx_.log);
      if (request_.nat && borrow()) undo.push("give the bridge back", [&] { give_back(); });
      if (!failed_) try_vm();
    }
    sys::throw_if_interrupted();
    add(remains.check(id_, port_));
    return failed_;
  }

private:
  void add(const Check& check, Code code = Code::failed) {
    if (check.verdict == Verdict::missing && !failed_) failed_ = code;
    tell_(check);
  }

  bool borrow() {
    ctx_.stage("bridge", "making it");
    try {
      BridgeUp up = borrow_bridge(ctx_);
      std::string out = up.uplinks.empty() ? "" : ", out by " + join(up.uplinks, ", ");
      Check check{
          "bridge", Verdict::ok, fmt::format("{} {}{}", up.bridge, up.subnet.text(), out), {}};
      if (up.uplinks.empty()) {
        check.verdict = Verdict::warn;
        check.found += "; this host has no default route, so there is no way out";
        no_way_out_ = true;
      }
      add(check);
      return true;
    } catch (const Error& e) {
      add(failure("bridge", e), e.code());
      return false;
    }
  }

  void give_back() {
    ctx_.stage("bridge", "giving it back");
    try {
      give_back_bridge(ctx_);
    } catch (const Error& e) {
      add(failure("bridge", e), e.code());
    }
  }

  VmSpec spec() const {
    const Settings& s = ctx_.settings;
    VmSpec spec;
    spec.name = "smoke-" + new_id().substr(0, 6);
    spec.cpus = s.vm_cpus;
    spec.memory = s.vm_memory;
    spec.net = request_.nat ? NetMode::bridge : s.net_mode;
    spec.vmm = s.vm_vmm;
    spec.accel = s.vm_accel;
    spec.publish = {{"tcp", loopback, port_, ssh_port}};
    spec.remove_when_stopped = true;
    return spec;
  }

  void try_vm() {
    port_ = sys::free_tcp_port(loopback);
    RunRequest run{.spec = spec(), .start = {}, .command = {}, .common = {}};
    run.work = [&](const Vm& vm) {
      with_guest(vm);
      return 0;
    };
    SteadyTime began = steady_now();
    try {
      run_vm(ctx_, run, [&](const Vm& vm) {
        id_ = vm.id;
        answered_ = true;
        add({"vm",
             Verdict::ok,
             fmt::format("'{}' answered over ssh after {:.1f} s ({}, {}, network '{}')", vm.name,
                         Seconds(steady_now() - began).count(), name_of(vm.vmm), accel_of(vm),
                         name_of(vm.net_mode)),
             {}});
      });
    } catch (const Error& e) {
      sys::throw_if_interrupted();
      add(failure(answered_ ? "work" : "vm", e), e.code());
    }
  }

  // The guest is tried beside this thread, which waits for signals, too: a guest, or what is
  // outside, may not answer for a minute.
  void with_guest(const Vm& vm) {
    ctx_.stage(vm.name, "trying its network");
    Probe probe;
    std::exception_ptr fault;
    OpenedBeside beside(ctx_);
    auto [done, theirs] = sys::socket_pair();
    std::optional<Outside> to;
    if (request_.to) to = Outside{to_text(request_.to->address), request_.to->port};
    std::jthread prober([&, end = std::move(theirs)]() mutable {
      try {
        probe = probe_vm(beside, vm.id, to);
      } catch (...) {
        fault = std::current_exception();
      }
      end.reset();
    });
    try {
      sys::wait_or_interrupt(done.get());
    } catch (const Error&) {
      remove_vm(ctx_, vm.id, true); // so that the other has nobody to wait for
      throw;
    }
    prober.join();
    if (fault) std::rethrow_exception(fault);
    for (const ProbeTry& t : probe.tries) {
      Check check = check_of(vm, t);
      bool tried = t.test != "outside" || !no_way_out_;
      if (!tried) check = {t.test, Verdict::warn, "not tried: there is no way out", {}};
      add(check);
    }
    if (request_.nat) {
      add(check_rules(vm));
      add(check_counters(vm, probe));
    }
  }

  // While it runs; that they go again is a part of what is left.
  Check check_rules(const Vm& vm) {
    auto record = read_net(ctx_.state, NetMode::bridge);
    auto tap = record.taps.find(vm.id);
    try {
      const std::string& tag = ctx_.state.tag();
      std::string name = tap == record.taps.end() ? "" : net::tap_name(tag, tap->second);
      size_t tables = 0, rules = 0;
      bool there = false;
      for (const auto& o : helper::Client(helper_command(ctx_.dirs)).find_traces(tag).objects) {
        tables += o.object == "table" ? 1 : 0;
        rules += o.object == "rule" ? 1 : 0;
        there = there || (o.object == "tap" && o.name == name && o.known);
      }
      if (there && tables == 2)
        return {
            "rules",
            Verdict::ok,
            fmt::format("{} and both tables are there, and {} chain{} of other firewalls let it "
                        "pass",
                        name, rules, rules == 1 ? "" : "s"),
            {}};
    } catch (const Error& e) {
      return failure("rules", e);
    }
    return {"rules", Verdict::missing, "a tap or a table of the bridge is missing",
            "banger net up"};
  }

  Check check_counters(const Vm& vm, const Probe& probe) {
    NetStatus status = net_status(ctx_);
    auto lease =
        std::ranges::find(status.leases, vm.id, [](const NetStatus::Lease& l) { return l.vm.id; });
    uint64_t packets = lease == status.leases.end() ? 0 : lease->out_packets;
    auto outside = std::ranges::find(probe.tries, "outside", &ProbeTry::test);
    if (outside == probe.tries.end() || outside->outcome != ProbeTry::Outcome::ok)
      return {"nat", Verdict::warn, "not tried: it got nowhere outside", {}};
    if (packets == 0)
      return {"nat", Verdict::missing, "no packet of it was counted, though it got outside", {}};
    return {"nat", Verdict::ok, fmt::format("{} packets of it went out by NAT", packets), {}};
  }

  Context& ctx_;
  const SmokeRequest& request_;
  const std::function<void(const Check&)>& tell_;
  std::optional<Code> failed_;
  bool answered_ = false, no_way_out_ = false;
  std::string id_;
  int port_ = 0;
};

} // namespace

std::optional<Code> smoke(Context& ctx, const SmokeRequest& request,
                          const std::function<void(const Check&)>& tell) {
  return Smoke(ctx, request, tell).run();
}

} // namespace banger::ops
