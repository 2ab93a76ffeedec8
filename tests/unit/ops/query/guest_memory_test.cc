#include "ops/query/guest_memory.h"

#include <thread>

#include <gtest/gtest.h>

#include "ops/common/places.h"
#include "ops/link/link.h"
#include "state/state_test.h"
#include "sys/file.h"
#include "sys/lines.h"
#include "sys/proc.h"
#include "sys/socket.h"
#include "sys/wait.h"

namespace banger::ops {
namespace {

class GuestMemories : public state::StateTest {
protected:
  Vm running(const std::string& name) {
    Vm v = vm(name);
    v.id = std::string(12 - name.size(), '0') + name;
    v.state = VmState::running;
    v.memory = 1000;
    v.run.emplace().monitor = sys::this_process();
    return v;
  }
  Fd listen(const Vm& v) {
    Places places = places_of(dirs, "ab12", v);
    sys::make_dirs(places.runtime);
    return sys::listen_unix(places.monitor_socket);
  }
};

// A monitor that answers one question so, and then holds the connection.
std::thread monitor(const Fd& listener, std::optional<vmm::GuestMemory> memory) {
  return std::thread([&listener, memory] {
    sys::wait_readable(listener.get(), Millis(10'000));
    auto peer = sys::accept_one(listener.get());
    sys::LineReader lines(peer->get());
    Report r = memory ? Report{Report::Kind::done, {}, {}, {}, {}}
                      : failure_report(failed("the monitor does not know 'memory'"));
    r.memory = memory;
    r.id = parse_ask(lines.next(Millis(10'000)).value()).id;
    sys::send_all(peer->get(), to_line(r));
    lines.next(Millis(10'000));
  });
}

TEST_F(GuestMemories, AreThoseThatCanBeOfVmsThatRunAndTell) {
  std::vector<Vm> vms;
  std::vector<Fd> listeners;
  std::vector<std::thread> monitors;
  auto add = [&](const char* name, std::optional<vmm::GuestMemory> told) {
    vms.push_back(running(name));
    listeners.push_back(listen(vms.back()));
    monitors.push_back(monitor(listeners.back(), told));
  };
  listeners.reserve(9);
  add("a", vmm::GuestMemory{900, 100, 500});
  add("b", vmm::GuestMemory{1001, 100, 500}); // more than the VM has
  add("c", vmm::GuestMemory{900, 100, 901});
  add("d", vmm::GuestMemory{900, -1, 500});
  add("e", {}); // of a build before
  vms.push_back(running("gone"));
  vms.push_back(running("a"));
  vms.back().state = VmState::paused;
  // One that takes the question and says nothing costs a second, whoever else is asked.
  vms.push_back(running("mute"));
  Fd mute = listen(vms.back());
  auto began = steady_now();
  auto all = ask_monitors(dirs, "ab12", vms);
  EXPECT_LT(steady_now() - began, Millis(8'000)); // those who answered hold on for ten
  for (std::thread& t : monitors) t.join();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all.begin()->first, vms[0].id);
  EXPECT_EQ(all.begin()->second.memory, (vmm::GuestMemory{900, 100, 500}));
}

} // namespace
} // namespace banger::ops
