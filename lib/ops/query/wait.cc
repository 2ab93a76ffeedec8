#include "ops/query/wait.h"

#include <list>
#include <memory>

#include "ops/common/places.h"
#include "ops/link/end.h"
#include "ops/release/seen.h"
#include "state/watch.h"
#include "sys/lock.h"

namespace banger::ops {

namespace {

Error fault_of(const Dirs& dirs, const Vm& vm) {
  std::string why = vm.fault ? vm.fault->message : vm.reason;
  return failed("'{}' has failed: {}", vm.name, why)
      .subject(vm.name)
      .hint(vm.fault ? vm.fault->hint : std::string())
      .log(dirs.console_log(vm.id));
}

// One that is waited for.
struct Waiting {
  std::string ref, id, name;
  bool was_live = false;
  std::string state = {}; // when it was last looked at
  std::unique_ptr<VmEnd> end = nullptr;
  bool end_came = false; // and the row does not say so yet
};

class Waiter {
public:
  Waiter(Reader& in, WaitFor goal, const std::function<void(Waited)>& tell)
      : in_(in), goal_(goal), tell_(tell) {}

  void run(const std::vector<std::string>& refs, std::optional<Millis> timeout) {
    state::StateWatch watch(loop_, in_.dirs, in_.state, [this] { look_anew(); });
    for (const std::string& ref : refs) begin(ref);
    look();
    if (timeout && !all_.empty()) loop_.after(*timeout, [this] { time_is_up(); });
    if (!all_.empty()) loop_.run();
  }

private:
  void begin(const std::string& ref) {
    try {
      Vm vm = in_.state.get_vm(ref);
      all_.push_back({ref, vm.id, vm.name});
    } catch (const Error& e) {
      tell_({ref, {}, e});
    }
  }

  void look_anew() {
    for (Waiting& w : all_) w.end_came = false;
    look();
  }

  void look() {
    for (auto it = all_.begin(); it != all_.end();) {
      auto waited = look_at(*it);
      if (waited) tell_(std::move(*waited));
      it = waited ? all_.erase(it) : std::next(it);
    }
    if (all_.empty()) loop_.stop();
  }

  std::optional<Waited> look_at(Waiting& w) {
    auto row = in_.state.find_vm_by_id(w.id);
    if (!row) {
      if (goal_ == WaitFor::stopped) return Waited{w.ref, {}, {}};
      return Waited{w.ref, {}, not_found("'{}' was removed", w.name).subject(w.name)};
    }
    Vm vm = as_seen(in_.dirs, in_.state.tag(), *row);
    w.state = name_of(vm.state);
    auto done = [&](std::optional<Error> e) { return Waited{w.ref, w.state, std::move(e)}; };
    bool down = vm.state == VmState::stopped || vm.state == VmState::failed;
    if (goal_ == WaitFor::stopped && down) return done({});
    if (goal_ == WaitFor::running) {
      if (vm.state == VmState::running) return done({});
      if (vm.state == VmState::failed) return done(fault_of(in_.dirs, vm));
      if (vm.state == VmState::stopped && w.was_live)
        return done(conflict("'{}' was stopped before it was ready", w.name).subject(w.name));
    }
    if (!is_live(vm.state)) return {};
    w.was_live = true;
    Places places = places_of(in_.dirs, in_.state.tag(), vm);
    if (!is_looked_after(vm, places))
      return done(failed("'{}' was interrupted while it was {}", w.name, w.state)
                      .subject(w.name)
                      .hint("banger vm reconcile"));
    // Where there is no process to follow, the next commit tells; or it died without one.
    if (!w.end && !w.end_came)
      w.end = std::make_unique<VmEnd>(loop_, places, vm, [this, &w] {
        w.end.reset();
        w.end_came = true;
        loop_.after(Millis(1000), [this] { look_anew(); });
        look();
      });
    return {};
  }

  // Whether a process is there that brings it out of a state in which no VM stays.
  static bool is_looked_after(const Vm& vm, const Places& places) {
    if (vm.state != VmState::starting && vm.state != VmState::stopping) return true;
    return sys::FileLock::is_held(places.run_lock) || sys::FileLock::is_held(places.op_lock);
  }

  void time_is_up() {
    for (const Waiting& w : all_) {
      bool waits_for_start = w.state == name_of(VmState::stopped);
      tell_({w.ref, w.state,
             timed_out("'{}' is still {}", w.name, w.state)
                 .subject(w.name)
                 .hint(waits_for_start
                           ? fmt::format("banger vm start {} starts it", w.name)
                           : fmt::format("banger vm logs {} shows its console", w.name))});
    }
    all_.clear();
    loop_.stop();
  }

  Reader& in_;
  WaitFor goal_;
  const std::function<void(Waited)>& tell_;
  sys::Loop loop_;
  std::list<Waiting> all_;
};

} // namespace

void wait_for_vms(Reader& in, const std::vector<std::string>& refs, WaitFor goal,
                  std::optional<Millis> timeout, const std::function<void(Waited)>& tell) {
  Waiter(in, goal, tell).run(refs, timeout);
}

} // namespace banger::ops
