#include "ops/query/console.h"

#include <csignal>
#include <optional>

#include "core/error.h"
#include "model/words.h"
#include "ops/common/places.h"
#include "ops/link/client.h"
#include "ops/link/end.h"
#include "ops/release/seen.h"
#include "sys/file.h"
#include "sys/log_follower.h"
#include "sys/signals.h"
#include "sys/socket.h"

namespace banger::ops {

namespace {

constexpr size_t past_lines = 10;
constexpr size_t much = size_t{64} << 10; // typed, and not taken yet

// The typed bytes, on their way to the monitor.
class Typing {
public:
  Typing(sys::Loop& loop, const Places& places, const Vm& vm, const ConsoleEnds& ends,
         std::function<void()> on_escape)
      : loop_(loop), ends_(ends), on_escape_(std::move(on_escape)),
        monitor_(loop, connect_monitor(places, vm),
                 {[](const Report& r) {
                    if (r.error) throw Error(*r.error);
                  },
                  // How the VM goes on is told elsewhere; nothing can be typed any more.
                  {},
                  [this] { read_or_wait(); }}) {
    loop_.watch(ends_.in, [this] { on_typed(); });
  }

private:
  void on_typed() {
    std::string bytes = sys::read_some(ends_.in, 4096);
    if (bytes.empty()) {
      has_ended_ = true;
      return loop_.forget(ends_.in);
    }
    size_t escape = ends_.has_escape ? bytes.find(console_escape) : std::string::npos;
    // A person who types ahead of a guest that does not listen must still be able to leave.
    if (monitor_.waiting() < much && escape != 0)
      monitor_.say(Ask{"console", Millis(0), bytes.substr(0, escape)});
    read_or_wait();
    if (escape != std::string::npos) on_escape_();
  }

  void read_or_wait() {
    if (ends_.has_escape || has_ended_ || monitor_.is_gone()) return;
    // A pipe waits.
    if (monitor_.waiting() < much)
      loop_.watch(ends_.in, [this] { on_typed(); });
    else
      loop_.forget(ends_.in);
  }

  sys::Loop& loop_;
  const ConsoleEnds& ends_;
  std::function<void()> on_escape_;
  Client monitor_;
  bool has_ended_ = false; // nothing more is typed
};

} // namespace

ConsoleOutcome attach_console(Reader& in, const std::string& ref, const ConsoleEnds& ends) {
  Vm vm = as_seen(in.dirs, in.state.tag(), in.state.get_vm(ref));
  if (!is_live(vm.state))
    throw conflict("cannot attach to '{}': {}", vm.name, is_now(vm.state))
        .subject(vm.name)
        .hint(fmt::format("banger vm logs {} shows what it said last", vm.name));
  Places places = places_of(in.dirs, in.state.tag(), vm);
  sys::Loop loop;
  auto outcome = ConsoleOutcome::left;
  sys::Signals signals({SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGTSTP});
  loop.watch(signals.fd(), [&] {
    if (sys::read_signal(signals.fd()) != SIGTSTP) loop.stop();
  });
  std::optional<Typing> typing;
  try {
    typing.emplace(loop, places, vm, ends, [&] { loop.stop(); });
  } catch (const Error& e) {
    if (e.code() != Code::unreachable) throw;
    throw failed("cannot attach to '{}': its monitor does not answer", vm.name)
        .subject(vm.name)
        .hint(fmt::format("banger vm reconcile starts another; banger vm logs -f {} follows it",
                          vm.name));
  }
  Fd stirs = sys::watch_file(places.console);
  sys::LogFollower log(places.console);
  ends.show_past(log.tail(past_lines));
  auto show_new = [&] {
    for (std::string text = log.next(); !text.empty(); text = log.next()) ends.show(text);
  };
  loop.watch(stirs.get(), [&] {
    sys::drain_events(stirs.get());
    show_new();
  });
  if (ends.reader >= 0) loop.watch_hangup(ends.reader, [&] { loop.stop(); });
  VmEnd end(loop, places, vm, [&] {
    show_new();
    outcome = ConsoleOutcome::vm_ended;
    loop.stop();
  });
  loop.run();
  return outcome;
}

} // namespace banger::ops
