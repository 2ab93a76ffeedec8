// What a stranger may put under a name is opened only where it is this user's and of the right
// kind.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"
#include "core/text.h"
#include "sys/file.h"
#include "sys/own_file.h"
#include "sys/socket.h"

namespace banger::sys {
namespace {

class OwnFileTest : public ::testing::Test {
protected:
  OwnFileTest() {
    std::string pattern = ::testing::TempDir() + "own.XXXXXX";
    dir_ = ::mkdtemp(pattern.data());
    write_atomic(dir_ + "/file", "x");
    write_atomic(dir_ + "/other", "x");
    EXPECT_EQ(::link((dir_ + "/other").c_str(), (dir_ + "/second").c_str()), 0);
    make_symlink("file", dir_ + "/to-file");
    make_fifo(dir_ + "/fifo");
    make_symlink("fifo", dir_ + "/to-fifo");
    make_dir(dir_ + "/directory");
    listener_ = listen_unix(dir_ + "/socket");
    make_symlink("socket", dir_ + "/to-socket");
  }
  ~OwnFileTest() override { remove_tree(dir_); }

  std::vector<std::string> opened(OwnKind kind) {
    std::vector<std::string> names;
    for (const std::string& name : list_dir(dir_)) try {
        if (find_own(dir_ + "/" + name, kind, O_RDWR | O_NONBLOCK)) names.push_back(name);
      } catch (const Error& e) {
        EXPECT_NE(e.message().find(dir_ + "/" + name), std::string::npos) << e.message();
      }
    return names;
  }

  std::string dir_;
  Fd listener_;
};

TEST_F(OwnFileTest, WhatIsOfTheKindIsOpenedAndNoLinkToIt) {
  EXPECT_EQ(join(opened(OwnKind::file), " "), "file");
  EXPECT_EQ(join(opened(OwnKind::fifo), " "), "fifo");
  EXPECT_EQ(join(opened(OwnKind::socket), " "), "socket");
  EXPECT_FALSE(find_own(dir_ + "/none", OwnKind::file, O_RDONLY));
  EXPECT_THROW(open_own(dir_ + "/none", OwnKind::file, O_RDONLY), Error);
}

TEST_F(OwnFileTest, WhatIsAnotherUsersIsNot) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root gives a file away";
  ASSERT_EQ(::chown((dir_ + "/file").c_str(), 65534, 65534), 0);
  EXPECT_TRUE(opened(OwnKind::file).empty());
}

TEST_F(OwnFileTest, ASocketThatIsALinkIsConnectedToByNobody) {
  EXPECT_TRUE(connect_unix(dir_ + "/socket"));
  for (const char* name : {"to-socket", "file", "none"}) {
    try {
      connect_unix(dir_ + "/" + name);
      ADD_FAILURE() << name;
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Code::unreachable) << name;
    }
  }
}

} // namespace
} // namespace banger::sys
