#include "ops/image/fill.h"

#include <filesystem>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "core/error.h"
#include "disk/ext4.h"
#include "sys/at.h"
#include "sys/file.h"

namespace banger::ops {
namespace {

namespace fs = std::filesystem;
constexpr int64_t MiB = int64_t{1} << 20;

class FillFromDir : public testing::Test {
protected:
  void SetUp() override {
    sys::remove_tree(dir_);
    sys::make_dirs(tree_);
  }
  void TearDown() override { sys::remove_tree(dir_); }

  disk::Ext4Files empty_image() const {
    sys::remove_file(image_);
    disk::make_ext4(image_, 32 * MiB, "test");
    return {image_, disk::Ext4Files::Mode::write};
  }
  // A file of 1 MiB, and what happens to it when its turn has come; none if that fills the image.
  std::optional<Error> filled_while(const std::function<void()>& happens) {
    sys::write_atomic(file_, std::string(MiB, 'x'));
    disk::Ext4Files root = empty_image();
    try {
      fill_from_dir(root, tree_, [&](const std::string& path) {
        if (path == "content") happens();
      });
    } catch (const Error& e) {
      return e;
    }
    return {};
  }

  std::string dir_ = testing::TempDir() + "/image-fill-" + std::to_string(::getpid());
  std::string image_ = dir_ + "/image", tree_ = dir_ + "/tree", file_ = tree_ + "/content";
};

TEST_F(FillFromDir, HolesAreZeros) {
  std::string content(5 * MiB, '\0');
  Fd fd = sys::open_file(file_, O_RDWR | O_CREAT);
  for (int64_t at : {int64_t{0}, 3 * MiB}) {
    content.replace(static_cast<size_t>(at), 4, "data");
    sys::write_at(fd.get(), at, "data", file_);
  }
  sys::set_size(fd.get(), 5 * MiB, file_);
  sys::set_size(sys::open_file(tree_ + "/hole", O_RDWR | O_CREAT).get(), MiB, "hole");
  {
    disk::Ext4Files root = empty_image();
    fill_from_dir(root, tree_, [](const std::string&) {});
    root.finish();
  }
  disk::Ext4Files root(image_, disk::Ext4Files::Mode::read);
  EXPECT_TRUE(root.read("content", 10 * MiB) == content);
  EXPECT_TRUE(root.read("hole", 10 * MiB) == std::string(MiB, '\0'));
}

TEST_F(FillFromDir, AFileThatShrinksMeanwhileIsAnError) {
  for (uintmax_t size : {0, 1000, 300'000}) {
    auto error = filled_while([&] { fs::resize_file(file_, size); });
    ASSERT_TRUE(error.has_value()) << size;
    EXPECT_NE(error->message().find("/tree/content': it shrank meanwhile"), std::string::npos)
        << error->message();
  }
}

TEST_F(FillFromDir, AFileThatCannotBeReadIsAnError) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  Fd read_end(ends[0]), write_end(ends[1]);
  // Its descriptor becomes one that knows no offsets: as near as a test comes to a disk that fails.
  auto error = filled_while([&] {
    for (const auto& entry : fs::directory_iterator("/proc/self/fd")) {
      std::error_code gone;
      if (fs::read_symlink(entry.path(), gone).filename() == "content")
        ::dup2(read_end.get(), std::stoi(entry.path().filename()));
    }
  });
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->error_number(), ESPIPE) << error->message();
}

} // namespace
} // namespace banger::ops
