// What a process that has confined itself may still do; each in a child, which does not come back.
#include <cerrno>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/handle.h"
#include "core/text.h"
#include "sys/confine.h"
#include "sys/file.h"
#include "sys/forked.h"
#include "sys/wait.h"

namespace banger::sys {
namespace {

class ConfineTest : public ::testing::Test {
protected:
  ConfineTest() {
    std::string pattern = ::testing::TempDir() + "confine.XXXXXX";
    dir_ = ::mkdtemp(pattern.data());
  }
  ~ConfineTest() override { remove_tree(dir_); }

  // What `act` says in a child that works in the directory, and how that ended.
  template <typename F>
  std::pair<std::string, int> in_child(F&& act) {
    Pipe said = make_pipe();
    int pid = forked();
    if (pid == 0) {
      if (::chdir(dir_.c_str()) != 0) ::_exit(1);
      write_all(said.write.get(), act());
      ::_exit(0);
    }
    said.write.reset();
    std::string all;
    char part[4096];
    for (ssize_t n; (n = ::read(said.read.get(), part, sizeof part)) > 0;)
      all.append(part, static_cast<size_t>(n));
    int status = 0;
    ::waitpid(pid, &status, 0);
    return {all, status};
  }

  std::string dir_;
};

bool makes_a_socket(const char* path) {
  sockaddr_un a{};
  a.sun_family = AF_UNIX;
  std::strncpy(a.sun_path, path, sizeof a.sun_path - 1);
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return ::bind(fd.get(), reinterpret_cast<sockaddr*>(&a), sizeof a) == 0;
}

bool opens(const char* path, int flags) {
  return static_cast<bool>(Fd(::open(path, flags | O_CLOEXEC, 0600)));
}

TEST_F(ConfineTest, InADirectoryForSocketsThereIsNothingElse) {
  if (landlock_version() == 0) GTEST_SKIP() << "this kernel has no Landlock";
  write_atomic(dir_ + "/there", "x");
  auto acts = [this](Use use) {
    return in_child([&] {
      confine({{dir_, use}}, false);
      std::string done;
      auto tell = [&](const char* what, bool did) { done += did ? what : ""; };
      tell("socket ", makes_a_socket("s"));
      tell("again ", ::unlink("s") == 0 && makes_a_socket("s"));
      tell("file ", opens("file", O_WRONLY | O_CREAT));
      tell("nameless ", opens(".", O_WRONLY | O_TMPFILE));
      tell("write ", opens("there", O_WRONLY));
      tell("directory ", ::mkdir("directory", 0700) == 0);
      tell("link ", ::symlink("x", "link") == 0);
      tell("fifo ", ::mkfifo("fifo", 0600) == 0);
      return done;
    });
  };
  EXPECT_EQ(acts(Use::sockets).first, "socket again ");
  remove_file(dir_ + "/s");
  EXPECT_EQ(acts(Use::directory).first, "socket again file nameless write directory link fifo ");
}

TEST_F(ConfineTest, NoFileGetsLongerThanItsBound) {
  auto [said, status] = in_child([] {
    bound_files(8192);
    bool did = opens("file", O_WRONLY | O_CREAT) && ::truncate("file", 8192) == 0;
    // It cannot be taken back.
    rlimit more{16384, 16384};
    if (::geteuid() != 0) did = did && ::setrlimit(RLIMIT_FSIZE, &more) != 0;
    if (did && ::truncate("file", 8193) == 0) ::_exit(0);
    return std::string();
  });
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGXFSZ) << status;
  EXPECT_EQ(find_info(dir_ + "/file")->size, 8192);
}

} // namespace
} // namespace banger::sys
