// What a process asks of the kernel once it is to have no namespaces of its own.
#include <cerrno>
#include <functional>

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/forked.h"
#include "sys/own_namespaces.h"

namespace banger::sys {
namespace {

// The error number that `call` leaves in a process without namespaces; 0: it succeeded.
int refusal_of(const std::function<long()>& call) {
  int pid = forked();
  if (pid == 0) {
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (!forbid_namespaces()) ::_exit(200);
    errno = 0;
    ::_exit(call() < 0 ? errno : 0);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(pid, &status, 0), pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// As a program of the 32-bit architecture calls.
long call_as_i386(long number, long argument) {
  long answer = 0;
  asm volatile("int $0x80"
               : "=a"(answer)
               : "a"(number), "b"(argument)
               : "memory", "cc", "r8", "r9", "r10", "r11");
  if (answer < 0) errno = static_cast<int>(-answer);
  return answer;
}

TEST(OwnNamespaces, NoneAreMadeAndNoneEntered) {
  for (int which : {CLONE_NEWUSER, CLONE_NEWNET, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWIPC,
                    CLONE_NEWUTS, CLONE_NEWCGROUP})
    EXPECT_EQ(refusal_of([&] { return ::unshare(which); }), EPERM) << which;
  EXPECT_EQ(refusal_of([] { return ::syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0); }),
            EPERM);
  EXPECT_EQ(refusal_of([] { return ::syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0); }),
            EPERM);
  EXPECT_EQ(refusal_of([] { return ::syscall(SYS_setns, 0, 0); }), EPERM);
  EXPECT_EQ(refusal_of([] { return ::syscall(SYS_clone3, nullptr, 0); }), ENOSYS);
}

TEST(OwnNamespaces, OtherArchitecturesAreNoWayRound) {
  constexpr long of_x32 = 0x40000000, unshare_of_i386 = 310, getpid_of_i386 = 20;
  EXPECT_EQ(refusal_of([] { return ::syscall(of_x32 | SYS_unshare, CLONE_NEWUSER); }), ENOSYS);
  EXPECT_EQ(refusal_of([] { return call_as_i386(unshare_of_i386, CLONE_NEWUSER); }), ENOSYS);
  EXPECT_EQ(refusal_of([] { return call_as_i386(getpid_of_i386, 0); }), ENOSYS);
}

TEST(OwnNamespaces, ProcessesThreadsAndOtherCallsGoOn) {
  EXPECT_EQ(refusal_of([] {
              int pid = ::fork();
              if (pid == 0) ::_exit(0);
              return pid < 0 ? -1L : ::waitpid(pid, nullptr, 0);
            }),
            0);
  EXPECT_EQ(refusal_of([] { return ::unshare(CLONE_FILES); }), 0);
}

} // namespace
} // namespace banger::sys
