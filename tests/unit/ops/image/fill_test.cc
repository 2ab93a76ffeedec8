#include "ops/image/fill.h"

#include <filesystem>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "core/error.h"
#include "disk/ext4.h"
#include "sys/at.h"
#include "sys/file.h"
#include "sys/process.h"

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

class FillFromTar : public FillFromDir {
protected:
  // The image of what python's tarfile makes of CODE.
  void fill(const std::string& code) {
    std::string script = R"py(
import sys, tarfile
out = tarfile.open(sys.argv[1], "w", format=tarfile.PAX_FORMAT)
def add(name, mode, data=b"", type=tarfile.REGTYPE, **headers):
    import io
    info = tarfile.TarInfo(name)
    info.mode, info.size, info.type = mode, len(data), type
    info.pax_headers = {"SCHILY.acl." + k: v for k, v in headers.items()}
    out.addfile(info, io.BytesIO(data))
)py" + code + "\nout.close()\n";
    sys::run_ok({{"python3", "-c", script, dir_ + "/tar"}, {}, {}, false});
    Fd fd = sys::open_file(dir_ + "/tar", O_RDONLY);
    disk::Ext4Files root = empty_image();
    auto tar = archive::Reader::of_file(fd.get(), "tar");
    fill_from_tar(root, tar, [](const std::string&) {});
    root.finish();
  }
  std::string list_of(const std::string& path, const char* attribute) {
    disk::Ext4Files root(image_, disk::Ext4Files::Mode::read);
    std::string list = root.attributes(path).at(attribute);
    // libext2fs says id 0 of those that have none, and the kernel -1; nobody reads it.
    for (size_t at = 4; at < list.size(); at += 8)
      if (list[at] != 2 && list[at] != 8) list.replace(at + 4, 4, 4, '\xff');
    return list;
  }
};

TEST_F(FillFromTar, AccessListsAndTheModeBesideThem) {
  using Tag = AclEntry::Tag;
  fill(R"py(
add("b", 0o664, access="user::rw-,user:1234:r--,group::---,group:lisa:rwx,mask::rw-,other::r--")
add("d", 0o755, type=tarfile.DIRTYPE, default="user::rwx,group::r-x,group:7:rwx,mask::rwx,other::---")
add("plain", 0o640, access="user::rw-,group::r--,other::---")
add("etc/group", 0o644, b"root:x:0:\nlisa:x:4711:someone\n")
)py");
  EXPECT_EQ(list_of("b", access_acl), acl_attribute({{Tag::owner, 6, {}},
                                                     {Tag::user, 4, 1234},
                                                     {Tag::group_of_file, 0, {}},
                                                     {Tag::group, 7, 4711},
                                                     {Tag::mask, 6, {}},
                                                     {Tag::other, 4, {}}}));
  EXPECT_EQ(list_of("d", default_acl), acl_attribute({{Tag::owner, 7, {}},
                                                      {Tag::group_of_file, 5, {}},
                                                      {Tag::group, 7, 7},
                                                      {Tag::mask, 7, {}},
                                                      {Tag::other, 0, {}}}));
  disk::Ext4Files root(image_, disk::Ext4Files::Mode::read);
  EXPECT_EQ(root.find("b")->meta.permissions(), 0664u);
  EXPECT_EQ(root.find("d")->meta.permissions(), 0755u);
  EXPECT_EQ(root.find("plain")->meta.permissions(), 0640u);
  EXPECT_TRUE(root.attributes("plain").empty());
}

TEST_F(FillFromTar, AnAccessListOfSomebodyUnknownIsAnError) {
  try {
    fill(
        R"py(add("b", 0o664, access="user::rw-,user:nobody-knows:r--,group::r--,mask::r--,other::r--"))py");
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(e.message().find("names user 'nobody-knows'"), std::string::npos) << e.message();
  }
}

} // namespace
} // namespace banger::ops
