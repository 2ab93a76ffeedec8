#include "sys/own_namespaces.h"

#include <cerrno>
#include <cstddef>
#include <cstdint>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/error.h"

namespace banger::sys {

namespace {

constexpr uint32_t by_clone = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
                              CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;
constexpr uint32_t of_time = 0x80; // CLONE_NEWTIME; of clone() it is a part of the signal's number
constexpr uint32_t of_x32 = 0x40000000; // in the numbers of that architecture's calls

constexpr uint32_t allow = SECCOMP_RET_ALLOW, refuse = SECCOMP_RET_ERRNO | EPERM,
                   absent = SECCOMP_RET_ERRNO | ENOSYS;

constexpr sock_filter load(size_t at) {
  return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<uint32_t>(at));
}
constexpr sock_filter give(uint32_t what) { return BPF_STMT(BPF_RET | BPF_K, what); }
// Goes on after `skipped` more where it holds; else with the next.
constexpr sock_filter skip_if(uint16_t test, uint32_t value, uint8_t skipped) {
  return BPF_JUMP(static_cast<uint16_t>(BPF_JMP | test | BPF_K), value, skipped, 0);
}

constexpr size_t arch = offsetof(seccomp_data, arch), call = offsetof(seccomp_data, nr),
                 first_word = offsetof(seccomp_data, args); // the lower half: x86 is little endian

} // namespace

bool forbid_namespaces() {
  sock_filter program[] = {
      load(arch),
      skip_if(BPF_JEQ, AUDIT_ARCH_X86_64, 1),
      give(absent),
      load(call),
      skip_if(BPF_JGE, of_x32, 5),
      skip_if(BPF_JEQ, SYS_clone3, 4),
      skip_if(BPF_JEQ, SYS_setns, 4),
      skip_if(BPF_JEQ, SYS_unshare, 4),
      skip_if(BPF_JEQ, SYS_clone, 6),
      give(allow),
      give(absent),
      give(refuse),
      load(first_word), // of unshare()
      skip_if(BPF_JSET, by_clone | of_time, 4),
      give(allow),
      load(first_word), // of clone()
      skip_if(BPF_JSET, by_clone | CLONE_PARENT, 1),
      give(allow),
      give(refuse),
  };
  sock_fprog filter{static_cast<uint16_t>(sizeof program / sizeof *program), program};
  // What it keeps from a process is no reason to slow that down on processors with side channels.
  // Who stands in for a kernel (gVisor) may not know that flag.
  for (unsigned long flags : {SECCOMP_FILTER_FLAG_SPEC_ALLOW, 0UL})
    if (::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &filter) == 0) return true;
  if (errno != ENOSYS && errno != EINVAL)
    throw sys_error(errno, "cannot keep a process from namespaces");
  return false;
}

} // namespace banger::sys
