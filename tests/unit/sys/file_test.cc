#include "sys/file.h"

#include <csignal>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/error.h"
#include "sys/at.h"
#include "sys/copy.h"
#include "sys/forked.h"
#include "sys/proc.h"

namespace banger::sys {
namespace {

// A mount namespace of its own, where whoever this is may mount.
bool may_mount() {
  if (is_root()) return ::unshare(CLONE_NEWNS) == 0;
  uid_t uid = ::getuid();
  gid_t gid = ::getgid();
  if (::unshare(CLONE_NEWNS | CLONE_NEWUSER) != 0) return false;
  try {
    auto write = [](const char* file, const std::string& text) {
      write_all(open_file(file, O_WRONLY).get(), text);
    };
    write("/proc/self/setgroups", "deny");
    write("/proc/self/uid_map", fmt::format("0 {} 1", uid));
    write("/proc/self/gid_map", fmt::format("0 {} 1", gid));
  } catch (const Error&) {
    return false;
  }
  return true;
}

struct FileCalls : testing::Test {
  std::string dir = testing::TempDir() + "/files-" + std::to_string(::getpid());
  std::string path = dir + "/file";
  void SetUp() override { make_dirs(dir); }
  void TearDown() override { remove_tree(dir); }

  static int errno_of(const std::function<void()>& f) {
    try {
      f();
    } catch (const Error& e) {
      return e.error_number() != 0 ? e.error_number() : -1;
    }
    return 0;
  }
  static mode_t mode_of(const std::string& file) { return find_link_info(file)->mode; }
};

TEST_F(FileCalls, WhatIsMadeIsPrivate) {
  open_file(path, O_WRONLY | O_CREAT);
  EXPECT_EQ(mode_of(path), 0600u);
  make_dirs(dir + "/a/b");
  make_symlink("nowhere", dir + "/link");
  std::string why;
  try {
    make_dirs(dir + "/link/sub");
  } catch (const Error& e) {
    why = e.message();
  }
  EXPECT_EQ(why, "cannot make directory '" + dir + "/link': it is a link that leads nowhere");
  EXPECT_EQ(mode_of(dir + "/a"), 0700u);
  EXPECT_EQ(mode_of(dir + "/a/b"), 0700u);
  write_atomic(path, "x", 0666);
  EXPECT_EQ(mode_of(path), 0666u); // whatever the umask
}

TEST_F(FileCalls, AbsenceIsNoFailureWhereItIsAskedFor) {
  EXPECT_FALSE(find_file(path, O_RDONLY));
  EXPECT_FALSE(find_content(path));
  EXPECT_FALSE(find_info(path));
  EXPECT_FALSE(find_info(path + "/below"));
  EXPECT_FALSE(exists(path));
  EXPECT_FALSE(remove_file(path));
  EXPECT_FALSE(remove_tree(path));
  EXPECT_FALSE(read_link(path));
  EXPECT_TRUE(list_dir(path).empty());
  EXPECT_EQ(read_tail(path, 10), "");
  EXPECT_EQ(errno_of([&] { open_file(path, O_RDONLY); }), ENOENT);
  EXPECT_EQ(errno_of([&] { real_path(path); }), ENOENT);
}

TEST_F(FileCalls, ContentIsBoundedAndTailsAreTheEnd) {
  write_atomic(path, "0123456789");
  EXPECT_EQ(read_file(path), "0123456789");
  EXPECT_NE(errno_of([&] { read_file(path, 9); }), 0);
  EXPECT_EQ(read_tail(path, 4), "6789");
  EXPECT_EQ(read_tail(path, 100), "0123456789");
  Fd fd = open_file(path, O_RDONLY);
  EXPECT_EQ(read_at(fd.get(), 8, 10), "89");
  EXPECT_EQ(read_at(fd.get(), 20, 10), "");
  EXPECT_EQ(size_of(fd.get()), 10);
  append(path, "ab");
  EXPECT_EQ(read_file(path), "0123456789ab");
}

TEST_F(FileCalls, AFileIsReplacedAtOnceAndALinkIsNotFollowed) {
  write_atomic(path, "old");
  Fd before = open_file(path, O_RDONLY);
  write_atomic(dir + "/.file.tmp", "of a writer that died");
  write_atomic(path, "new");
  EXPECT_EQ(read_at(before.get(), 0, 10), "old");
  EXPECT_EQ(read_file(path), "new");
  EXPECT_EQ(list_dir(dir), std::vector<std::string>{"file"});
  make_symlink("file", dir + "/link");
  write_atomic(dir + "/link", "content");
  EXPECT_EQ(read_file(path), "new");
  EXPECT_FALSE(read_link(dir + "/link"));
  // A failure leaves what was there, and nothing beside it.
  EXPECT_NE(errno_of([&] { write_atomic(dir + "/none/file", "x"); }), 0);
  make_dir(dir + "/busy");
  EXPECT_NE(errno_of([&] { write_atomic(dir + "/busy", "x"); }), 0);
  EXPECT_EQ(list_dir(dir), (std::vector<std::string>{"busy", "file", "link"}));
}

// A process that still has a dead writer's temporary open must not see another's content.
TEST_F(FileCalls, AWriterHasAFileOfItsOwn) {
  std::string temporary = dir + "/.file.tmp";
  write_atomic(temporary, "of a writer that died");
  Fd held = open_file(temporary, O_RDONLY);
  write_atomic(path, "new");
  EXPECT_EQ(read_at(held.get(), 0, 100), "of a writer that died");
}

TEST_F(FileCalls, NothingIsInheritedByAProgram) {
  for (const Fd& fd : {open_file(path, O_WRONLY | O_CREAT), *find_file(path, O_RDONLY)})
    EXPECT_TRUE(::fcntl(fd.get(), F_GETFD) & FD_CLOEXEC);
}

TEST_F(FileCalls, ATreeThatIsAFileOrALinkIsRemoved) {
  write_atomic(path, "x");
  make_symlink("file", dir + "/link");
  EXPECT_TRUE(remove_tree(dir + "/link"));
  EXPECT_TRUE(exists(path));
  EXPECT_TRUE(remove_tree(path));
  EXPECT_TRUE(list_dir(dir).empty());
}

TEST_F(FileCalls, NamesAreInOrder) {
  for (const char* name : {"c", "a", "d", "b"}) write_atomic(dir + "/" + name, "");
  EXPECT_EQ(list_dir(dir), (std::vector<std::string>{"a", "b", "c", "d"}));
}

TEST_F(FileCalls, RoomIsKeptAndTheSizeStays) {
  EXPECT_FALSE(keep_room(path, 1 << 16));
  write_atomic(path, "x");
  if (!keep_room(path, 1 << 16)) GTEST_SKIP() << "this file system keeps no room";
  EXPECT_EQ(find_info(path)->size, 1);
  EXPECT_GE(find_info(path)->allocated, 1 << 16);
}

TEST_F(FileCalls, AFifoThatIsThereIsNoFailureButAFileIs) {
  make_fifo(path);
  make_fifo(path);
  EXPECT_EQ(mode_of(path), 0600u);
  write_atomic(dir + "/other", "");
  EXPECT_EQ(errno_of([&] { make_fifo(dir + "/other"); }), EEXIST);
}

// A half write is taken up again; one that cannot go on is a failure, however much was written.
TEST_F(FileCalls, AWriteIsTakenUpWhereItStopped) {
  auto fill = [&] {
    ::signal(SIGXFSZ, SIG_IGN);
    rlimit most{1000, 1000};
    ::setrlimit(RLIMIT_FSIZE, &most);
    Fd fd = open_file(path, O_WRONLY | O_CREAT);
    int error = errno_of([&] { write_all(fd.get(), std::string(1500, 'x')); });
    ::_exit(error == EFBIG && size_of(fd.get()) == 1000 ? 0 : 1);
  };
  EXPECT_EXIT(fill(), testing::ExitedWithCode(0), "");
}

// A file of /proc gives a page at a time.
TEST_F(FileCalls, AReadIsTakenUpWhereItStopped) {
  Fd fd = open_file("/proc/self/smaps", O_RDONLY);
  EXPECT_GT(read_at(fd.get(), 0, 1 << 20).size(), 8192u);
}

TEST_F(FileCalls, WhatIsMountedBelowStays) {
  std::string tree = dir + "/tree", mounted = tree + "/mounted";
  make_dirs(mounted);
  constexpr int cannot = 77;
  int pid = forked();
  if (pid == 0) {
    if (!may_mount() || ::mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("tmpfs", mounted.c_str(), "tmpfs", 0, nullptr) != 0)
      ::_exit(cannot);
    std::string message;
    try {
      write_atomic(mounted + "/file", "x");
      remove_tree(tree);
    } catch (const Error& e) {
      message = e.message();
    }
    bool is_told = message.find("something is mounted there") != std::string::npos;
    ::_exit(is_told && exists(mounted + "/file") ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  if (WEXITSTATUS(status) == cannot) GTEST_SKIP() << "nothing can be mounted here";
  EXPECT_EQ(status, 0);
}

TEST_F(FileCalls, ABoundIsExact) {
  write_atomic(path, std::string(10'000, 'x'));
  EXPECT_EQ(read_file(path, 10'000).size(), 10'000u);
  EXPECT_NE(errno_of([&] { read_file(path, 9'999); }), 0);
  EXPECT_NE(errno_of([&] { find_content(path, 6'000); }), 0);
}

TEST_F(FileCalls, ACloneIsWholeOrNotThere) {
  write_atomic(path, "content");
  std::string copy = dir + "/copy";
  if (clone_file(path, copy))
    EXPECT_EQ(read_file(copy), "content");
  else
    EXPECT_FALSE(exists(copy)) << "it is in the way of the copy";
}

TEST_F(FileCalls, OfALogThatIsCutAsMuchAsWasAskedForStays) {
  Fd fd = open_file(path, O_RDWR | O_CREAT);
  struct stat st {};
  ASSERT_EQ(::fstat(fd.get(), &st), 0);
  auto block = static_cast<size_t>(st.st_blksize);
  write_all(fd.get(), std::string(3 * block + 100, 'x'));
  int64_t cut = cut_front(fd.get(), 200);
  EXPECT_LE(cut, static_cast<int64_t>(2 * block));
  EXPECT_EQ(read_tail(path, 200), std::string(200, 'x'));
}

// Holes have no end; a writer's bound on the length of its files has one.
TEST_F(FileCalls, ALogThatCanOnlyGetHolesBeginsAnewOnceItIsLong) {
  Fd fd(::memfd_create("log", MFD_CLOEXEC)); // its file system cuts no front off
  set_size(fd.get(), 1 << 20, "log");
  EXPECT_EQ(cut_front(fd.get(), 4096), 0);
  EXPECT_EQ(size_of(fd.get()), 1 << 20);
  set_size(fd.get(), (int64_t{1} << 30) + 1, "log");
  EXPECT_EQ(cut_front(fd.get(), 4096), (int64_t{1} << 30) + 1);
  EXPECT_EQ(size_of(fd.get()), 0);
}

TEST_F(FileCalls, AnOriginalThatIsCutShortIsTold) {
  write_atomic(path, std::string(10'000, 'x'));
  Fd in = open_file(path, O_RDWR);
  std::string copy = dir + "/copy";
  for (int64_t offset : {int64_t{0}, int64_t{9'000}, int64_t{20'000}}) {
    EXPECT_NE(errno_of([&] { copy_part(in.get(), path, offset, 12'000, copy, Original::kept); }), 0)
        << offset;
    EXPECT_FALSE(exists(copy));
  }
  set_size(in.get(), 100'000, path); // a hole at its end is no end
  copy_part(in.get(), path, 5'000, 95'000, copy, Original::kept);
  EXPECT_EQ(find_info(copy)->size, 95'000);
  std::string whole = dir + "/whole";
  copy_sparse(path, whole);
  EXPECT_EQ(find_info(whole)->size, 100'000);
}

TEST_F(FileCalls, LinksAreReplaced) {
  make_symlink("one", path);
  make_symlink("two", path);
  EXPECT_EQ(read_link(path), "two");
  EXPECT_EQ(list_dir(dir), std::vector<std::string>{"file"});
  EXPECT_FALSE(find_info(path)); // it leads nowhere
  EXPECT_TRUE(find_link_info(path)->is_link);
}

TEST_F(FileCalls, ADirectoryThatIsThereIsNoFailureButAFileIs) {
  EXPECT_TRUE(make_dir(dir + "/new"));
  EXPECT_FALSE(make_dir(dir + "/new"));
  write_atomic(path, "");
  EXPECT_EQ(errno_of([&] { make_dir(path); }), EEXIST);
  EXPECT_EQ(errno_of([&] { make_dirs(path + "/below"); }), EEXIST);
}

TEST_F(FileCalls, TheNearestThatExists) {
  EXPECT_EQ(nearest_existing(dir + "/no/such/path"), dir);
  EXPECT_EQ(nearest_existing(dir), dir);
  EXPECT_GT(free_space(dir + "/no/such/path"), 0);
}

TEST_F(FileCalls, InformationIsOfTheFileAndItsLink) {
  Fd fd = open_file(path, O_RDWR | O_CREAT);
  set_size(fd.get(), 1 << 20, path);
  auto info = find_info(path).value();
  EXPECT_TRUE(info.is_file);
  EXPECT_FALSE(info.is_dir || info.is_link);
  EXPECT_EQ(info.size, 1 << 20);
  EXPECT_LT(info.allocated, 65536); // a hole
  EXPECT_EQ(info.uid, ::geteuid());
  make_symlink("file", dir + "/link");
  EXPECT_EQ(find_info(dir + "/link")->ino, info.ino);
  EXPECT_NE(find_link_info(dir + "/link")->ino, info.ino);
  EXPECT_EQ(real_path(dir + "/link"), real_path(path));
}

TEST_F(FileCalls, CopiesKeepHolesAndReplaceNothing) {
  Fd fd = open_file(path, O_RDWR | O_CREAT);
  write_at(fd.get(), 1 << 20, "data", path);
  set_size(fd.get(), 4 << 20, path);
  std::string copy = dir + "/copy";
  copy_sparse(path, copy);
  EXPECT_TRUE(read_file(copy) == read_file(path));
  EXPECT_LE(find_info(copy)->allocated, 65536);
  EXPECT_EQ(mode_of(copy), 0600u);
  EXPECT_EQ(errno_of([&] { copy_sparse(path, copy); }), EEXIST);
  EXPECT_TRUE(exists(copy));
  // One that shares its extents, or none at all.
  std::string clone = dir + "/clone";
  EXPECT_EQ(clone_file(path, clone), can_clone(path, dir));
  EXPECT_EQ(exists(clone), can_clone(path, dir));
  EXPECT_EQ(errno_of([&] { clone_file(path, copy); }), EEXIST);
}

// --- sys/at.h

TEST_F(FileCalls, NamesInADirectoryFollowNoLink) {
  Fd at = open_file(dir, O_RDONLY | O_DIRECTORY);
  write_atomic(dir + "/victim", "mine");
  make_dir(dir + "/real");
  make_symlink("real", dir + "/dir-link");
  make_symlink("victim", dir + "/file-link");
  EXPECT_NE(errno_of([&] { open_dir_at(at.get(), "dir-link", "it"); }), 0);
  EXPECT_NE(errno_of([&] { make_dir_at(at.get(), "dir-link", 0700, "it"); }), 0);
  EXPECT_EQ(errno_of([&] { make_dir_at(at.get(), "real", 0700, "it"); }), 0);
  EXPECT_EQ(errno_of([&] { create_at(at.get(), "file-link", 0600, "it"); }), EEXIST);
  EXPECT_EQ(read_file(dir + "/victim"), "mine");
  // The second name of a link is one of the link.
  link_at(at.get(), "file-link", at.get(), "again", "it");
  EXPECT_EQ(read_link(dir + "/again"), "victim");
  create_at(at.get(), "new", 0640, "it");
  rename_at(at.get(), "new", at.get(), "file-link", "it");
  EXPECT_FALSE(read_link(dir + "/file-link"));
  EXPECT_EQ(read_file(dir + "/victim"), "mine");
  EXPECT_TRUE(remove_at(at.get(), "again"));
  EXPECT_FALSE(remove_at(at.get(), "again"));
}

TEST_F(FileCalls, TimesAreKeptToTheNanosecondBefore1970Too) {
  Fd fd = open_file(path, O_RDWR | O_CREAT);
  for (int64_t time : {int64_t{1'500'000'000'123'456'789}, int64_t{-1'500'000'001}, int64_t{0}}) {
    set_mode_and_time(fd.get(), 0640, time, path);
    struct stat st {};
    ASSERT_EQ(::fstat(fd.get(), &st), 0);
    EXPECT_EQ(st.st_mtim.tv_sec * 1'000'000'000 + st.st_mtim.tv_nsec, time);
    EXPECT_EQ(st.st_mode & 07777, 0640u);
  }
}

} // namespace
} // namespace banger::sys
