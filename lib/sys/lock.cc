#include "sys/lock.h"

#include <csignal>
#include <ctime>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"
#include "sys/file.h"

namespace banger::sys {

namespace {

struct flock whole_file() {
  struct flock l {};
  l.l_type = F_WRLCK;
  l.l_whence = SEEK_SET;
  return l;
}

// Whether `path` still names the file behind fd: its owner may have removed it while we waited.
bool still_there(int fd, const std::string& path) {
  struct stat ours, theirs;
  return ::fstat(fd, &ours) == 0 && ::stat(path.c_str(), &theirs) == 0 &&
         ours.st_ino == theirs.st_ino && ours.st_dev == theirs.st_dev;
}

// Makes this thread's blocking calls return with EINTR, from then on again and again: a call that
// begins just after one signal is ended by the next. A lock has no timeout of its own, and each try
// goes to the end of the kernel's queue.
class Interrupter {
public:
  explicit Interrupter(SteadyTime then) {
    struct sigaction nothing {};
    nothing.sa_handler = [](int) {}; // without SA_RESTART
    ::sigaction(SIGRTMAX, &nothing, nullptr);
    sigevent to{};
    to.sigev_notify = SIGEV_THREAD_ID;
    to.sigev_signo = SIGRTMAX;
    to._sigev_un._tid = ::gettid(); // glibc 2.36 has no other name for it
    if (::timer_create(CLOCK_MONOTONIC, &to, &timer_) != 0)
      throw sys_error(errno, "cannot make a timer");
    using std::chrono::nanoseconds;
    auto ns = nanoseconds(then.time_since_epoch()).count();
    itimerspec times{{0, 50'000'000}, {ns / 1'000'000'000, ns % 1'000'000'000}};
    ::timer_settime(timer_, TIMER_ABSTIME, &times, nullptr); // the steady clock is CLOCK_MONOTONIC
  }
  Interrupter(const Interrupter&) = delete;
  Interrupter& operator=(const Interrupter&) = delete;
  ~Interrupter() { ::timer_delete(timer_); }

private:
  timer_t timer_{};
};

} // namespace

FileLock FileLock::take(const std::string& path) {
  Fd fd = open_file(path, O_RDWR | O_CREAT);
  struct flock l = whole_file();
  while (::fcntl(fd.get(), F_OFD_SETLKW, &l) != 0)
    if (errno != EINTR) throw sys_error(errno, "cannot lock '{}'", path);
  if (!still_there(fd.get(), path)) throw not_found("cannot lock '{}': it was removed", path);
  return FileLock(std::move(fd));
}

std::optional<FileLock> FileLock::try_take(const std::string& path) {
  Fd fd = open_file(path, O_RDWR | O_CREAT);
  struct flock l = whole_file();
  if (::fcntl(fd.get(), F_OFD_SETLK, &l) == 0) {
    if (!still_there(fd.get(), path)) return {};
    return FileLock(std::move(fd));
  }
  if (errno == EAGAIN || errno == EACCES) return {};
  throw sys_error(errno, "cannot lock '{}'", path);
}

bool FileLock::is_held(const std::string& path) {
  int raw = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (raw < 0) {
    if (errno == ENOENT || errno == ENOTDIR) return false;
    throw sys_error(errno, "cannot open '{}'", path);
  }
  Fd fd(raw);
  struct flock l = whole_file();
  if (::fcntl(fd.get(), F_OFD_GETLK, &l) != 0) throw sys_error(errno, "cannot query '{}'", path);
  return l.l_type != F_UNLCK;
}

std::optional<Line::Turn> Line::stand(SteadyTime until) {
  if (!fd_) fd_ = open_file(path_, O_RDWR | O_CREAT);
  struct flock l = whole_file();
  if (::fcntl(fd_.get(), F_OFD_SETLK, &l) == 0) return Turn(fd_.get());
  Interrupter interrupter(until);
  do {
    if (::fcntl(fd_.get(), F_OFD_SETLKW, &l) == 0) return Turn(fd_.get());
    if (errno != EINTR) throw sys_error(errno, "cannot lock '{}'", path_);
  } while (steady_now() < until);
  return {};
}

Line::Turn::~Turn() {
  if (fd_ < 0) return;
  struct flock l = whole_file();
  l.l_type = F_UNLCK;
  ::fcntl(fd_, F_OFD_SETLK, &l);
}

} // namespace banger::sys
