// What a program that was taken over tries to reach of its host, from where it was put: a line
// each, "NAME: yes" for what it has reached, "NAME: no" for the rest, in the order below.
//
//   banger-test-escape PID SHM PORTAL…
//   banger-test-escape --cell DIR WORD     only passes for the first process of another VM's cell
//
// A VM's monitor, monitor.sock in the working directory, has a word for whom it lets ask. Its way
// out has a socket in the directory that is named so with ".way".
//
// PID is a process of its user outside, SHM the id of his System V shared memory; a PORTAL is the
// path of a Unix socket, or "@NAME" for an abstract one.
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

void tell(const std::string& name, bool reached) {
  std::printf("%s: %s\n", name.c_str(), reached ? "yes" : "no");
}

bool can_open(const char* path, int flags = O_RDONLY) {
  int fd = ::open(path, flags | O_CLOEXEC);
  if (fd >= 0) ::close(fd);
  return fd >= 0;
}

bool connects(std::string portal) {
  sockaddr_un a{};
  a.sun_family = AF_UNIX;
  std::strncpy(a.sun_path, portal.c_str(), sizeof a.sun_path - 1);
  socklen_t size = sizeof a;
  if (portal[0] == '@') {
    a.sun_path[0] = '\0';
    size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + portal.size());
  }
  int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  bool did = ::connect(fd, reinterpret_cast<sockaddr*>(&a), size) == 0;
  ::close(fd);
  return did;
}

bool hears(const char* portal) {
  sockaddr_un a{};
  a.sun_family = AF_UNIX;
  std::strncpy(a.sun_path, portal, sizeof a.sun_path - 1);
  int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  char byte = 0;
  bool did =
      ::connect(fd, reinterpret_cast<sockaddr*>(&a), sizeof a) == 0 && ::read(fd, &byte, 1) == 1;
  ::close(fd);
  return did;
}

// Whether it is there at all: a refusal tells that, too. The first of a cell and this one's own
// parents are no others.
bool sees_others() {
  for (int pid = 2; pid < 100'000; pid++) {
    if (pid == ::getpid() || pid == ::getppid()) continue;
    if (::kill(pid, 0) == 0 || errno == EPERM) return true;
  }
  return false;
}

bool traces(int pid) {
  if (::ptrace(PTRACE_SEIZE, pid, nullptr, nullptr) != 0) return false;
  ::ptrace(PTRACE_DETACH, pid, nullptr, nullptr);
  return true;
}

// What may change the world of a process is tried by one that ends then.
template <typename F>
bool in_another(F&& tries) {
  int pid = ::fork();
  if (pid == 0) ::_exit(tries() ? 1 : 0);
  int status = 0;
  ::waitpid(pid, &status, 0);
  return status != 0;
}

bool enters(int pid) {
  int fd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  return fd >= 0 && (::setns(fd, CLONE_NEWNS) == 0 || ::setns(fd, CLONE_NEWPID) == 0);
}

// Who may make a mount namespace tries it there, not on the host. Where the kernel allows none,
// nothing can be mounted.
bool mounts(int apart) {
  bool is_apart = ::unshare(apart) == 0;
  if (is_apart && ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return false;
  return ::mount("none", ".", "tmpfs", 0, nullptr) == 0 ||
         ::mount("none", ".", "proc", 0, nullptr) == 0 || ::umount2("/dev/null", MNT_DETACH) == 0;
}

bool has_a_directory_open() {
  for (int fd = 0; fd < 1024; fd++) {
    struct stat st {};
    if (::fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) return true;
  }
  return false;
}

// By each call that makes one. As root of a user namespace of its own a process has all rights
// there.
bool makes_a_namespace() {
  auto by_clone = [](auto&& clone) {
    long pid = clone();
    if (pid == 0) ::_exit(0);
    if (pid > 0) ::waitpid(static_cast<int>(pid), nullptr, 0);
    return pid > 0;
  };
  clone_args args{};
  args.flags = CLONE_NEWUSER;
  args.exit_signal = SIGCHLD;
  int own = ::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
  bool enters = own >= 0 && in_another([&] { return ::setns(own, CLONE_NEWNET) == 0; });
  ::close(own);
  return enters || in_another([] { return ::unshare(CLONE_NEWUSER) == 0; }) ||
         in_another([] { return ::unshare(CLONE_NEWNET) == 0; }) || by_clone([] {
           return ::syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, nullptr, nullptr, nullptr, 0);
         }) ||
         by_clone([&] { return ::syscall(SYS_clone3, &args, sizeof args); });
}

// A monitor would have to reap a process that it does not know.
bool makes_a_sibling() {
  long pid = ::syscall(SYS_clone, CLONE_PARENT | SIGCHLD, nullptr, nullptr, nullptr, 0);
  if (pid == 0) ::_exit(0);
  return pid > 0;
}

// The socket of the way out of a VM whose runtime directory is the working directory.
std::string way_beside() {
  char dir[4096];
  const char* found = ::getcwd(dir, sizeof dir);
  return std::string(found ? found : "") + ".way/slirp.sock";
}

bool makes_a_device() {
  bool did = ::mknod("device", S_IFCHR | 0600, makedev(1, 3)) == 0 && can_open("device");
  ::unlink("device");
  return did;
}

// A root directory below the working directory leads out for whoever may change it once more.
bool leaves_by_chroot() {
  ::mkdir("below", 0700);
  bool did = ::chroot("below") == 0;
  ::rmdir("below");
  for (int i = 0; did && i < 64; i++) did = ::chdir("..") == 0;
  return did && ::chroot(".") == 0 && can_open("etc/passwd");
}

} // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  if (std::strcmp(argv[1], "--cell") == 0) {
    ::prctl(PR_SET_NAME, "banger-cell");
    for (;;) ::pause();
  }
  int pid = std::atoi(argv[1]);
  tell("a process by its number", ::kill(pid, 0) == 0 || ::getpgid(pid) >= 0);
  tell("any other process", sees_others());
  tell("to trace a process", traces(pid));
  tell("to trace the first process", traces(1));
  tell("the namespaces of a process", in_another([&] { return enters(pid) || enters(1); }));
  tell("the root of a process", can_open("/proc/1/root/etc/passwd") ||
                                    can_open(("/proc/" + std::string(argv[1]) + "/cwd/.").c_str()));
  void* memory = ::shmat(std::atoi(argv[2]), nullptr, 0);
  tell("shared memory", memory != reinterpret_cast<void*>(-1));
  for (int i = 3; i < argc; i++)
    tell(std::string("the socket ") + (argv[i][0] == '@' ? "@" : std::strrchr(argv[i], '/') + 1),
         connects(argv[i]));
  tell("its monitor", hears("monitor.sock"));
  // Beside it, where a VM's way out may have one; who made that reaches it by no name at all.
  tell("its way out", connects("way/slirp.sock") || connects(way_beside()));
  tell("a namespace of its own", makes_a_namespace());
  tell("a child of its starter's", makes_a_sibling());
  tell("to mount", in_another([] { return mounts(CLONE_NEWNS); }));
  tell("to mount in a namespace", in_another([] { return mounts(CLONE_NEWUSER | CLONE_NEWNS); }));
  tell("to leave by chroot", in_another(leaves_by_chroot));
  tell("a directory that is open", has_a_directory_open());
  tell("a new device", makes_a_device());
  tell("a device", can_open("/dev/kmsg") || can_open("/dev/mem") || can_open("/dev/ptmx", O_RDWR) ||
                       can_open("/dev/fuse", O_RDWR));
  tell("the kernel's settings", can_open("/proc/sys/kernel/core_pattern", O_WRONLY) ||
                                    can_open("/sys/kernel/uevent_helper", O_WRONLY));
}
