#include "sys/sparse.h"

#include <algorithm>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "core/error.h"
#include "sys/copy.h"
#include "sys/file.h"

namespace banger::sys {
namespace {

constexpr int64_t MiB = int64_t{1} << 20;

struct Sparse : testing::Test {
  std::string dir = testing::TempDir() + "/sparse-" + std::to_string(::getpid());
  std::string path = dir + "/file", copy = dir + "/copy";
  void SetUp() override { make_dirs(dir); }
  void TearDown() override { remove_tree(dir); }

  static int64_t allocated(const std::string& file) { return find_info(file)->allocated; }
  static std::string thrown(const std::function<void()>& f) {
    try {
      f();
    } catch (const Error& e) {
      return e.message();
    }
    return {};
  }
};

TEST_F(Sparse, ZerosBecomeHolesHoweverTheyCome) {
  std::string content(3 * MiB, '\0');
  content.replace(5, 4, "head");
  content.replace(2 * MiB + 4095, 2, "xy"); // over the edge of two blocks
  for (size_t step : {size_t{1} << 20, size_t{1000}, size_t{4097}}) {
    remove_file(path);
    SparseFile file(path);
    for (size_t at = 0; at < content.size(); at += step)
      file.write(static_cast<int64_t>(at), std::string_view(content).substr(at, step));
    file.set_size(static_cast<int64_t>(content.size()));
    EXPECT_TRUE(read_file(path) == content) << step;
    EXPECT_LE(allocated(path), 4 * 4096) << step;
    EXPECT_LE(file.data(), 4 * 4096) << step;
  }
  EXPECT_NE(thrown([&] { SparseFile again(path); }), "");
}

TEST_F(Sparse, ChunksAreTheDataAlone) {
  SparseFile file(path);
  file.write(MiB, "data");
  file.set_size(4 * MiB);
  auto chunks = chunks_of(file.fd(), 4 * MiB, "file");
  int64_t data = 0;
  std::string content(4 * MiB, '\0');
  while (auto chunk = chunks()) {
    data += static_cast<int64_t>(chunk->data.size());
    content.replace(static_cast<size_t>(chunk->offset), chunk->data.size(), chunk->data);
  }
  EXPECT_LE(data, MiB);
  EXPECT_TRUE(content == read_file(path));
  // No more than was asked for, and an error where there is less.
  auto none = chunks_of(file.fd(), MiB, "file");
  EXPECT_FALSE(none());
  auto more = chunks_of(file.fd(), 5 * MiB, "file");
  EXPECT_EQ(thrown([&] {
              while (more()) {
              }
            }),
            "cannot read 'file': it shrank meanwhile");
}

TEST_F(Sparse, APartIsCopiedWithItsHoles) {
  SparseFile file(path);
  file.write(MiB, std::string(8192, 'a'));
  file.write(3 * MiB, std::string(8192, 'b'));
  file.set_size(4 * MiB);
  std::string whole = read_file(path);
  copy_part(file.fd(), path, MiB + 4096, 2 * MiB, copy);
  EXPECT_TRUE(read_file(copy) == whole.substr(MiB + 4096, 2 * MiB));
  EXPECT_LE(allocated(copy), 3 * 4096);
  EXPECT_TRUE(read_file(path) == whole);
  remove_file(copy);
  // A source that ends before that leaves nothing.
  EXPECT_EQ(thrown([&] { copy_part(file.fd(), path, 3 * MiB, 2 * MiB, copy); }),
            "'" + path + "' is truncated");
  EXPECT_FALSE(exists(copy));
}

TEST_F(Sparse, APartThatIsGivenBackTakesNoRoomTwice) {
  SparseFile file(path);
  file.write(0, std::string(4 * MiB, 'a'));
  copy_part(file.fd(), path, MiB, 2 * MiB, copy, Original::given_back);
  EXPECT_TRUE(read_file(copy) == std::string(2 * MiB, 'a'));
  EXPECT_EQ(find_info(path)->size, 4 * MiB);
  if (allocated(path) == 4 * MiB) GTEST_SKIP() << "a file system without holes";
  EXPECT_LE(allocated(path), 2 * MiB + 65536);
}

} // namespace
} // namespace banger::sys
