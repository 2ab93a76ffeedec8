// A private state directory a test, and helpers to fill it.
#pragma once

#include <cstdlib>
#include <functional>
#include <string>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/error.h"
#include "state/state.h"
#include "sys/file.h"
#include "sys/forked.h"

namespace banger::state {

class StateTest : public testing::Test {
protected:
  StateTest() {
    std::string dir = testing::TempDir() + "banger-state-XXXXXX";
    root = ::mkdtemp(dir.data());
    dirs.state = root + "/state";
    dirs.runtime = root + "/run";
  }
  ~StateTest() override { sys::remove_tree(root); }

  State open(Mode mode = Mode::write) { return State::open(dirs, mode); }

  static Vm vm(const std::string& name) {
    Vm v;
    v.id = new_id();
    v.name = name;
    return v;
  }

  // Runs `body` in a process of its own; its exit status is 0 if it returned, 1 if it threw.
  static int start(const std::function<void()>& body) {
    int pid = forked();
    if (pid != 0) return pid;
    int status = 0;
    try {
      body();
    } catch (const std::exception& e) {
      fprintf(stderr, "child: %s\n", e.what());
      status = 1;
    }
    ::_exit(status);
  }
  // The exit status, or 1000 + the signal that ended it.
  static int wait(int pid) {
    int status = 0;
    EXPECT_EQ(pid, ::waitpid(pid, &status, 0));
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
  }

  std::string root;
  Dirs dirs;
};

// The Error that `body` throws; the test fails when there is none.
template <typename F>
Error thrown_by(F&& body) {
  try {
    body();
  } catch (const Error& e) {
    return e;
  }
  ADD_FAILURE() << "nothing was thrown";
  return Error(Code::failed, "");
}

} // namespace banger::state
