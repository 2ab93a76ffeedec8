// Processes by their identity.
#include <gtest/gtest.h>
#include <unistd.h>

#include "core/error.h"
#include "sys/file.h"
#include "sys/proc.h"
#include "sys/process.h"

namespace banger::sys {
namespace {

// A child that sleeps in `dir`, ended and reaped with this.
struct Sleeper {
  Child child;
  ProcessId id;
  explicit Sleeper(const std::string& dir = {})
      : child(spawn({{"sleep", "60"}, {}, dir, false}, {})), id(find_process(child.pid()).value()) {
  }
  ~Sleeper() {
    child.kill(SIGKILL);
    child.wait();
  }
};

TEST(EndProcess, EndsExactlyThatOneAndWaits) {
  Sleeper one, other;
  ProcessId earlier = other.id; // of a pid that was used before
  earlier.start_time--;
  end_process(earlier, Millis(5000));
  end_process(one.id, Millis(5000));
  EXPECT_FALSE(is_alive(one.id));
  EXPECT_TRUE(is_alive(other.id));
  end_process(one.id, Millis(0)); // it has gone
  end_process({}, Millis(0));
}

TEST(EndProcess, OneThatEndedButWasNotReapedHasGone) {
  Child child = spawn({{"true"}, {}, {}, false}, {});
  ProcessId id{child.pid(), 0, boot_id()};
  EXPECT_TRUE(child.wait_for(Millis(5000)));
  EXPECT_FALSE(find_process(id.pid));
}

TEST(EndAllIn, WhoeverWorksInThatDirectoryButForThoseNamed) {
  std::string dir = testing::TempDir() + "end-all-" + std::to_string(::getpid());
  make_dirs(dir + "/below");
  {
    Sleeper in(dir), spared(dir), below(dir + "/below"), elsewhere;
    end_all_in(dir + "/../" + dir.substr(dir.rfind('/') + 1), {spared.id}, Millis(5000));
    EXPECT_FALSE(is_alive(in.id));
    EXPECT_TRUE(is_alive(spared.id));
    EXPECT_TRUE(is_alive(below.id));
    EXPECT_TRUE(is_alive(elsewhere.id));
    remove_tree(dir);
    end_all_in(dir, {}, Millis(5000));
    EXPECT_TRUE(is_alive(spared.id));
  }
}

TEST(EndAllIn, ADirectoryHasOneNameForThoseWhoWorkInIt) {
  std::string root = testing::TempDir() + "named-" + std::to_string(::getpid());
  make_dirs(root + "/place");
  make_symlink("place", root + "/other-name");
  Sleeper there(root + "/place");
  end_all_in(root + "/other-name", {}, Millis(5000));
  EXPECT_FALSE(is_alive(there.id));
  remove_tree(root);
}

// Anything may stand in a program's name.
TEST(Listed, ANameDoesNotHideWhatStandsBehindIt) {
  std::string dir = testing::TempDir() + "name-" + std::to_string(::getpid());
  make_dirs(dir);
  std::string program = dir + "/a) S 1 (b";
  make_symlink("/bin/sleep", program);
  Child child = spawn({{program, "60"}, {}, {}, false}, {});
  auto id = find_process(child.pid());
  ASSERT_TRUE(id);
  EXPECT_GT(id->start_time, this_process().start_time / 2);
  std::string name;
  for (const ProcessInfo& p : list_processes())
    if (p.id.pid == child.pid()) name = p.comm;
  EXPECT_EQ(name, "a) S 1 (b");
  remove_tree(dir);
}

TEST(Identity, IsOfThisBootAndOfThatStart) {
  Sleeper one;
  EXPECT_TRUE(open_process(one.id));
  ProcessId other = one.id;
  other.boot_id = "another";
  EXPECT_FALSE(is_alive(other));
  EXPECT_FALSE(open_process(other));
  EXPECT_FALSE(send_signal(other, SIGKILL));
  other = one.id;
  other.start_time++;
  EXPECT_FALSE(is_alive(other));
  EXPECT_FALSE(open_process(other));
  EXPECT_FALSE(send_signal(other, SIGKILL));
  EXPECT_TRUE(is_alive(one.id));
}

TEST(SendSignal, TellsWhetherItWasThere) {
  Sleeper one;
  EXPECT_TRUE(send_signal(one.id, 0));
  ProcessId earlier = one.id;
  earlier.start_time--;
  EXPECT_FALSE(send_signal(earlier, SIGKILL));
  EXPECT_FALSE(open_process(earlier));
  EXPECT_TRUE(open_process(one.id));
  earlier = one.id;
  earlier.boot_id = "another boot";
  EXPECT_FALSE(open_process(earlier));
}

} // namespace
} // namespace banger::sys
