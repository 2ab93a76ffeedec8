// The files of a seed placed into a root that may be hostile.
#include "init/init.h"

#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace banger::init {
namespace {

namespace fs = std::filesystem;

class InitFiles : public testing::Test {
protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "init_XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    dir = fs::canonical(pattern);
    for (const char* part : {"seed", "root", "outside"}) fs::create_directory(dir / part);
    write(dir / "outside/secret", "untouched");
  }
  void TearDown() override { fs::remove_all(dir); }

  static void write(const fs::path& path, const std::string& content, mode_t mode = 0644) {
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << content;
    chmod(path.c_str(), mode);
  }
  static std::string read(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  static mode_t mode(const fs::path& path) {
    struct stat info {};
    EXPECT_EQ(lstat(path.c_str(), &info), 0) << path;
    return info.st_mode;
  }
  bool place() {
    int from = open((dir / "seed").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int root = open((dir / "root").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = place_files(from, root, getuid());
    close(from);
    close(root);
    return ok;
  }
  void expect_outside_untouched() {
    EXPECT_EQ(read(dir / "outside/secret"), "untouched");
    int entries = 0;
    for (const auto& entry : fs::directory_iterator(dir / "outside")) {
      entries++;
      EXPECT_EQ(entry.path().filename(), "secret");
    }
    EXPECT_EQ(entries, 1);
  }

  fs::path dir;
};

TEST_F(InitFiles, ContentModesAndParents) {
  write(dir / "seed/etc/hostname", "demo\n");
  write(dir / "seed/root/.ssh/authorized_keys", "key\n", 0600);
  chmod((dir / "seed/root/.ssh").c_str(), 0700);
  write(dir / "seed/usr/bin/tool", std::string(300'000, 'x'), 0755);
  write(dir / "seed/etc/empty", "");
  fs::create_directory(dir / "seed/srv");
  ASSERT_TRUE(place()) << failure();
  EXPECT_EQ(read(dir / "root/etc/hostname"), "demo\n");
  EXPECT_EQ(mode(dir / "root/etc/hostname"), S_IFREG | 0644u);
  EXPECT_EQ(mode(dir / "root/root/.ssh/authorized_keys"), S_IFREG | 0600u);
  EXPECT_EQ(mode(dir / "root/root/.ssh"), S_IFDIR | 0700u);
  EXPECT_EQ(read(dir / "root/usr/bin/tool").size(), 300'000u);
  EXPECT_EQ(mode(dir / "root/usr/bin/tool"), S_IFREG | 0755u);
  EXPECT_EQ(read(dir / "root/etc/empty"), "");
  EXPECT_EQ(mode(dir / "root/srv"), S_IFDIR | 0755u);
}

TEST_F(InitFiles, ADirectoryThatIsThereStaysAsItIs) {
  fs::create_directories(dir / "root/etc");
  chmod((dir / "root/etc").c_str(), 0751);
  write(dir / "root/etc/hostname", "old, and longer than the new one\n", 0600);
  write(dir / "seed/etc/hostname", "demo\n");
  ASSERT_TRUE(place()) << failure();
  EXPECT_EQ(mode(dir / "root/etc"), S_IFDIR | 0751u);
  EXPECT_EQ(read(dir / "root/etc/hostname"), "demo\n");
  EXPECT_EQ(mode(dir / "root/etc/hostname"), S_IFREG | 0644u);
}

TEST_F(InitFiles, AFileThatIsALinkIsReplaced) {
  fs::create_directories(dir / "root/etc");
  fs::create_symlink(dir / "outside/secret", dir / "root/etc/resolv.conf");
  fs::create_symlink("../../outside/secret", dir / "root/etc/hosts");
  write(dir / "seed/etc/resolv.conf", "new\n");
  write(dir / "seed/etc/hosts", "new\n");
  ASSERT_TRUE(place()) << failure();
  EXPECT_EQ(mode(dir / "root/etc/resolv.conf"), S_IFREG | 0644u);
  EXPECT_EQ(mode(dir / "root/etc/hosts"), S_IFREG | 0644u);
  expect_outside_untouched();
}

TEST_F(InitFiles, NoLinkLeadsOutOfTheRoot) {
  fs::create_symlink(dir / "outside", dir / "root/etc"); // absolute, there only on the host
  write(dir / "seed/etc/secret", "changed");
  EXPECT_FALSE(place());
  EXPECT_STRNE(failure(), "");
  expect_outside_untouched();

  fs::remove(dir / "root/etc");
  fs::create_symlink("../outside", dir / "root/etc"); // ".." above the root is the root
  EXPECT_FALSE(place());
  expect_outside_untouched();

  fs::remove(dir / "root/etc");
  fs::create_directory(dir / "root/a");
  fs::create_symlink("/../../../../.." + (dir / "outside").string(), dir / "root/a/b");
  fs::create_symlink("a/b", dir / "root/etc");
  EXPECT_FALSE(place());
  expect_outside_untouched();

  // A link to the same path inside the root is followed there.
  fs::create_directories(dir / "root" / (dir / "outside").relative_path());
  EXPECT_TRUE(place()) << failure();
  EXPECT_EQ(read((dir / "root") / (dir / "outside").relative_path() / "secret"), "changed");
  expect_outside_untouched();
}

TEST_F(InitFiles, LinksInsideTheRootWork) {
  fs::create_directories(dir / "root/home/root");
  fs::create_directories(dir / "root/usr/bin");
  fs::create_symlink("/home/root", dir / "root/root");
  fs::create_symlink("usr/bin", dir / "root/bin");
  write(dir / "seed/root/.ssh/authorized_keys", "key\n");
  write(dir / "seed/bin/tool", "t");
  ASSERT_TRUE(place()) << failure();
  EXPECT_EQ(read(dir / "root/home/root/.ssh/authorized_keys"), "key\n");
  EXPECT_EQ(read(dir / "root/usr/bin/tool"), "t");
}

TEST_F(InitFiles, ADirectoryInTheWayIsAFailure) {
  fs::create_directories(dir / "root/etc/hostname");
  write(dir / "seed/etc/hostname", "demo\n");
  EXPECT_FALSE(place());
  EXPECT_NE(std::string(failure()).find("'etc/hostname'"), std::string::npos) << failure();
  EXPECT_FALSE(fs::exists(dir / "root/etc/.banger-new"));
}

TEST_F(InitFiles, AFileInTheWayOfADirectoryIsAFailure) {
  write(dir / "root/etc", "a file");
  write(dir / "seed/etc/hostname", "demo\n");
  EXPECT_FALSE(place());
  EXPECT_EQ(read(dir / "root/etc"), "a file");
}

TEST_F(InitFiles, ATemporaryThatIsALinkIsNotFollowed) {
  fs::create_directories(dir / "root/etc");
  fs::create_symlink(dir / "outside/secret", dir / "root/etc/.banger-new");
  write(dir / "seed/etc/hostname", "demo\n");
  ASSERT_TRUE(place()) << failure();
  EXPECT_EQ(read(dir / "root/etc/hostname"), "demo\n");
  EXPECT_FALSE(fs::is_symlink(dir / "root/etc/.banger-new"));
  expect_outside_untouched();
}

TEST_F(InitFiles, DeepTreesAreRefused) {
  fs::path deep = dir / "seed";
  for (int i = 0; i < 40; i++) deep /= "d";
  write(deep / "file", "x");
  EXPECT_FALSE(place());
}

TEST_F(InitFiles, LinksAndFifosOfTheSeedArePassedOver) {
  fs::create_symlink("/etc/passwd", dir / "seed/link");
  mkfifo((dir / "seed/fifo").c_str(), 0644);
  write(dir / "seed/file", "x");
  // A link cannot be opened without following it: that is a failure, never a copy of its target.
  EXPECT_FALSE(place());
  fs::remove(dir / "seed/link");
  ASSERT_TRUE(place()) << failure();
  EXPECT_FALSE(fs::exists(dir / "root/fifo"));
  EXPECT_EQ(read(dir / "root/file"), "x");
}

TEST_F(InitFiles, DirectoriesAreMadeWithTheirMode) {
  int root = open((dir / "root").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int made = make_dirs_in_root(root, "var/lib/docker", 0711, getuid());
  EXPECT_GE(made, 0);
  EXPECT_EQ(mode(dir / "root/var/lib"), S_IFDIR | 0755u);
  EXPECT_EQ(mode(dir / "root/var/lib/docker"), S_IFDIR | 0711u);
  close(made);
  fs::create_symlink(dir / "outside", dir / "root/out");
  EXPECT_LT(make_dirs_in_root(root, "out/x", 0755, getuid()), 0);
  expect_outside_untouched();
  close(root);
}

} // namespace
} // namespace banger::init
