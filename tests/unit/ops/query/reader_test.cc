// A command that follows something goes on for as long as its output may be read, and no longer.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "ops/query/console.h"
#include "ops/query/events.h"
#include "ops/query/logs.h"
#include "ops/query/stats.h"
#include "state/state_test.h"
#include "sys/proc.h"
#include "sys/socket.h"
#include "sys/wait.h"

namespace banger::ops {
namespace {

class Reader : public state::StateTest {
protected:
  Reader() {
    target = vm("x");
    target.state = VmState::running;
    target.run.emplace().runtime_dir = root + "/x";
    target.run->monitor = target.run->vmm =
        sys::this_process(); // stands for it, and outlives those who follow
    open().add_vm(target);
    sys::make_dirs(target.run->runtime_dir);
    sys::make_dirs(dirs.vm(target.id));
    sys::write_atomic(dirs.vm_file(target.id, "console.log"), "what it said\n");
  }

  // `follow` is given what stands for standard output, and must write to it once it has begun.
  static void expect_follows(const std::function<void(int out)>& follow) {
    auto [ours, out] = sys::socket_pair();
    // Nothing comes in from the one end, nothing is taken in at the other: readable for ever.
    ::shutdown(out.get(), SHUT_RD);
    ::shutdown(ours.get(), SHUT_WR);
    int pid = start([&, &ours = ours, &out = out] {
      ::alarm(60);
      ours.reset();
      follow(out.get());
    });
    out.reset();
    EXPECT_FALSE(sys::read_some(ours.get(), 100).empty()) << "it did not begin";
    EXPECT_FALSE(sys::wait_hangup(ours.get(), Millis(200))) << "it ended by itself";
    ours.reset();
    EXPECT_EQ(wait(pid), 0);
  }

  // As the verbs do it, which open the state to read.
  void with_context(const std::function<void(Context&)>& body) {
    auto state = open(state::Mode::read);
    Settings settings;
    Log log({}, Level::off, {});
    Context ctx{{settings, dirs, state}, log};
    body(ctx);
  }

  Vm target;
};

TEST_F(Reader, OfALog) {
  expect_follows([&](int out) {
    with_context([&](Context& ctx) {
      LogQuery query;
      query.follow = true;
      query.reader = out;
      read_log(ctx, "x", query, [&](std::string_view text) { sys::send_all(out, text); });
    });
  });
}

TEST_F(Reader, OfEvents) {
  expect_follows([&](int out) {
    EventQuery query;
    query.follow = true;
    query.reader = out;
    read_events(dirs, query, [&](std::span<const Event>) { sys::send_all(out, "."); });
  });
}

TEST_F(Reader, OfAConsole) {
  Fd monitor = sys::listen_unix(target.run->runtime_dir + "/monitor.sock");
  expect_follows([&](int out) {
    with_context([&](Context& ctx) {
      Fd nothing = sys::open_file("/dev/null", O_RDONLY);
      ConsoleEnds ends;
      ends.in = nothing.get();
      ends.reader = out;
      ends.show = ends.show_past = [&](std::string_view text) { sys::send_all(out, text); };
      attach_console(ctx, "x", ends);
    });
  });
}

TEST_F(Reader, OfWhatIsShownAgainAndAgain) {
  expect_follows([&](int out) {
    sys::send_all(out, ".");
    while (pause_unless_unread(Millis(50), out)) {
    }
  });
}

} // namespace
} // namespace banger::ops
