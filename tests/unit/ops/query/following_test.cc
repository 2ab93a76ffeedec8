// The readers that follow the state and VMs without acting on them.
#include <csignal>

#include <gtest/gtest.h>

#include "ops/link/end.h"
#include "ops/monitor/console_input.h"
#include "ops/query/logs.h"
#include "ops/query/select.h"
#include "state/state_test.h"
#include "state/watch.h"
#include "sys/file.h"
#include "sys/proc.h"
#include "sys/process.h"
#include "sys/socket.h"
#include "sys/wait.h"

namespace banger::ops {
namespace {

using state::Mode;

class Following : public state::StateTest {
protected:
  // Runs the loop until stop(), and no longer than anything here may take.
  void run() {
    auto late = loop.after(Millis(20'000), [] { throw failed("waited in vain"); });
    loop.run();
    loop.cancel(late);
  }
  sys::Loop loop;
};

TEST_F(Following, SelectionKeepsOrderAndWhatIsUnknown) {
  auto state = open();
  std::map<std::string, std::string> ids;
  for (const char* name : {"b", "a", "c"}) {
    Vm v = vm(name);
    v.state = VmState::stopped;
    if (v.name != "c") v.labels["k"] = "v";
    ids[name] = state.add_vm(v).id;
  }
  using Names = std::vector<std::string>;
  Settings settings;
  Reader in{settings, dirs, state};
  EXPECT_EQ(select_vms(in, {}), (Names{"a", "b", "c"}));
  EXPECT_EQ(select_vms(in, {Names{}, {}, {}}), Names{});
  EXPECT_EQ(select_vms(in, {Names{"c", ids["a"].substr(0, 8), "zz", "a", ids["c"]}, {}, {}}),
            (Names{"c", "a", "zz"}));
  EXPECT_EQ(select_vms(in, {Names{"c", "zz", "b"}, {{"k", "v"}}, {}}), (Names{"zz", "b"}));
  EXPECT_EQ(select_vms(in, {{}, {}, {VmState::failed}}), Names{});
}

TEST_F(Following, EveryCommitOfAnotherIsSeen) {
  auto writer = open();
  auto reader = open(Mode::read);
  std::vector<int64_t> seen;
  int64_t last = 0;
  state::StateWatch watch(loop, dirs, reader, [&] {
    for (const Event& e : reader.events(last)) seen.push_back(last = e.seq);
    if (seen.size() == 50) loop.stop();
  });
  // From another process: some in a burst, some alone.
  int child = start([&] {
    auto other = open();
    for (int i = 0; i < 50; i++) {
      other.add_event({0, wall_now(), "op", "vm", "vm.test", "{}"});
      if (i % 10 == 0) sys::sleep_for(Millis(20));
    }
  });
  run();
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  for (size_t i = 0; i < seen.size(); i++) EXPECT_EQ(seen[i], static_cast<int64_t>(i + 1));
}

class FollowingVm : public Following {
protected:
  FollowingVm() {
    places.monitor_socket = root + "/monitor.sock";
    target = vm("x");
    target.run.emplace().monitor = sys::this_process();
  }
  Places places;
  Vm target;
};

TEST_F(FollowingVm, ALogThatNeverComesEndsWithItsVm) {
  auto state = open();
  sys::Child vmm = sys::spawn({{"sleep", "60"}, {}, {}, false}, {});
  target.state = VmState::running;
  target.run->vmm = *sys::find_process(vmm.pid());
  target.run->runtime_dir = root + "/none";
  target = state.add_vm(target);
  Places own = places_of(dirs, state.tag(), target);
  sys::make_dirs(own.dir);
  int reader = start([&] {
    auto other = open(Mode::read);
    Settings settings;
    Reader in{settings, dirs, other};
    LogQuery query;
    query.which = VmLog::lifecycle;
    query.follow = true;
    read_log(in, "x", query, [](std::string_view) {});
  });
  auto ended = sys::open_process(*sys::find_process(reader));
  ASSERT_TRUE(ended);
  EXPECT_FALSE(sys::wait_readable(ended->get(), Millis(200))) << "it ended before its VM";
  vmm.kill(SIGKILL);
  vmm.wait();
  bool in_time = sys::wait_readable(ended->get(), Millis(10'000));
  if (!in_time) ::kill(reader, SIGKILL);
  int status = 0;
  ::waitpid(reader, &status, 0);
  EXPECT_TRUE(in_time);
}

TEST_F(FollowingVm, ItsMonitorSaysSo) {
  Fd listener = sys::listen_unix(places.monitor_socket);
  std::string heard;
  VmEnd end(
      loop, places, target, [&] { heard += "end", loop.stop(); },
      [&](const Report& r) { heard += r.text + " "; });
  Fd monitor;
  loop.watch(listener.get(), [&] {
    monitor = std::move(*sys::accept_one(listener.get()));
    sys::send_all(monitor.get(), to_line(Report{Report::Kind::stage, "s", "booting", {}, {}}));
    sys::send_all(monitor.get(), to_line(Report{Report::Kind::ended, {}, {}, {}, "stopped"}));
    loop.forget(listener.get());
  });
  run();
  EXPECT_EQ(heard, "booting end");
}

TEST_F(FollowingVm, ADeadMonitorsVmIsFollowedByItsProcess) {
  Fd listener = sys::listen_unix(places.monitor_socket);
  sys::Child vmm = sys::spawn({{"sleep", "60"}, {}, {}, false}, {});
  target.run->vmm = *sys::find_process(vmm.pid());
  bool ended = false, dead = false;
  VmEnd end(loop, places, target, [&] { ended = true, loop.stop(); });
  loop.watch(listener.get(), [&] {
    sys::accept_one(listener.get()); // and gone again
    loop.forget(listener.get());
    loop.after(Millis(50), [&] {
      EXPECT_FALSE(ended);
      dead = true;
      vmm.kill(SIGKILL);
    });
  });
  run();
  EXPECT_TRUE(ended && dead);
  vmm.wait();
}

TEST_F(FollowingVm, OneWithNothingToFollowEndsFromTheLoop) {
  target.run.reset();
  bool ended = false;
  VmEnd end(loop, places, target, [&] { ended = true, loop.stop(); });
  EXPECT_FALSE(ended);
  run();
  EXPECT_TRUE(ended);
}

// A guest that does not read: what is typed waits, the sender pauses, and nothing is lost.
TEST_F(FollowingVm, TypingPausesAndGoesOn) {
  Fd listener = sys::listen_unix(places.monitor_socket);
  bool room = false;
  vmm::SerialLine line{vmm::SerialLine::Kind::own_file, "monitor.sock"};
  ConsoleInput input(loop, line, root, [&] { room = true; });
  std::string sent, got;
  while (true) {
    std::string piece(50'000, static_cast<char>('a' + sent.size() / 50'000 % 26));
    sent += piece;
    if (!input.send(piece)) break;
    ASSERT_LT(sent.size(), 100u << 20);
  }
  EXPECT_FALSE(room);
  Fd vmm = std::move(*sys::accept_one(listener.get()));
  sys::send_all(vmm.get(), "what the guest says is nobody's business here");
  loop.watch(vmm.get(), [&] {
    got += sys::read_some(vmm.get(), 1 << 16);
    if (got.size() == sent.size()) loop.stop();
  });
  run();
  EXPECT_TRUE(room);
  EXPECT_EQ(got, sent);
  loop.forget(vmm.get());
  vmm.reset(); // the guest reboots: the next bytes go to its successor
  bool again = true;
  loop.watch(listener.get(), [&] {
    vmm = std::move(*sys::accept_one(listener.get()));
    got = sys::read_some(vmm.get(), 100);
    loop.stop();
  });
  loop.after(Millis(50), [&] { again = input.send("hello"); });
  run();
  EXPECT_TRUE(again);
  EXPECT_EQ(got, "hello");
}

// Between two boots of the guest nobody listens: what is typed then is lost, and nothing else.
TEST_F(FollowingVm, TypingWithNobodyAtTheOtherEnd) {
  bool room = false;
  vmm::SerialLine line{vmm::SerialLine::Kind::own_file, "monitor.sock"};
  ConsoleInput input(loop, line, root, [&] { room = true; });
  EXPECT_TRUE(input.send("no socket"));
  sys::listen_unix(places.monitor_socket); // and closed again: its name stays
  EXPECT_TRUE(input.send("no listener"));
  EXPECT_FALSE(room);
  Fd listener = sys::listen_unix(places.monitor_socket);
  EXPECT_TRUE(input.send("hello"));
  Fd vmm = std::move(*sys::accept_one(listener.get()));
  EXPECT_EQ(sys::read_some(vmm.get(), 100), "hello");
}

// A VMM whose serial line is its standard input: a FIFO, which stays when the VMM does not.
TEST_F(FollowingVm, TypingIntoAFifo) {
  vmm::SerialLine line{vmm::SerialLine::Kind::stdio, "console.in"};
  ConsoleInput input(loop, line, root, [] {});
  EXPECT_TRUE(input.send("nobody has made it yet"));
  sys::make_fifo(root + "/console.in");
  Fd vmm = sys::open_file(root + "/console.in", O_RDWR);
  EXPECT_TRUE(input.send("hello"));
  EXPECT_EQ(sys::read_some(vmm.get(), 100), "hello");
  // A guest that does not read stops its typist, not the monitor.
  int pieces = 0;
  while (input.send(std::string(50'000, 'a'))) ASSERT_LT(++pieces, 100);
}

} // namespace
} // namespace banger::ops
