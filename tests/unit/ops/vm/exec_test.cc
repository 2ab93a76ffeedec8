// The words with which the program that runs a command in the guest is started.
#include <csignal>

#include <gtest/gtest.h>

#include "ops/vm/exec.h"
#include "state/state_test.h"

namespace banger::ops {
namespace {

class RunInGuest : public state::StateTest {
protected:
  RunInGuest() {
    dirs.bin = root + "/bin";
    sys::make_dirs(dirs.bin);
    hup_before = ::signal(SIGHUP, SIG_DFL);
  }
  ~RunInGuest() override { ::signal(SIGHUP, hup_before); }

  int run(const std::string& script, const std::vector<std::string>& common) {
    sys::write_atomic(dirs.bin + "/banger-ssh", "#!/bin/sh\n" + script, 0700);
    auto state = open();
    Settings settings;
    Log log({}, Level::off, {});
    Context ctx{{settings, dirs, state}, log};
    return run_in_guest(ctx, vm("x"), {"a", "two words"}, common).status;
  }
  void (*hup_before)(int);
};

TEST_F(RunInGuest, ItSpeaksAsItsCallerDoes) {
  std::string words = root + "/words";
  EXPECT_EQ(run("for w; do echo \"$w\"; done >" + words + "; exit 7\n", {"--json", "-q"}), 7);
  EXPECT_EQ(sys::read_file(words),
            "--state-dir\n" + dirs.state + "\n--json\n-q\nx\n--\na\ntwo words\n");
  EXPECT_EQ(run("exit 0\n", {}), 0);
}

TEST_F(RunInGuest, ASignalThatIsIgnoredHereIsThereToo) {
  std::string script = "kill -HUP $$; exit 7\n";
  EXPECT_EQ(run(script, {}), 128 + SIGHUP);
  ::signal(SIGHUP, SIG_IGN); // nohup
  EXPECT_EQ(run(script, {}), 7);
}

} // namespace
} // namespace banger::ops
