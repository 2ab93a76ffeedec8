#include "archive/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "core/error.h"

namespace banger::archive {
namespace {

std::string packed(const std::string& data, int (*filter)(struct ::archive*)) {
  std::string out(data.size() + 65536, '\0');
  size_t used = 0;
  struct ::archive* a = archive_write_new();
  archive_write_set_format_raw(a);
  filter(a);
  archive_write_open_memory(a, out.data(), out.size(), &used);
  archive_entry* e = archive_entry_new();
  archive_entry_set_filetype(e, S_IFREG);
  archive_write_header(a, e);
  archive_write_data(a, data.data(), data.size());
  archive_write_close(a);
  archive_entry_free(e);
  archive_write_free(a);
  out.resize(used);
  return out;
}

TEST(Unpack, EveryFilter) {
  std::string data(9 << 20, 'x'); // more than the first buffer holds
  data += "end";
  for (auto filter : {archive_write_add_filter_gzip, archive_write_add_filter_xz,
                      archive_write_add_filter_zstd, archive_write_add_filter_lz4}) {
    std::string small = packed(data, filter);
    EXPECT_LT(small.size(), data.size());
    EXPECT_TRUE(unpack(small, "x") == data);
  }
}

TEST(Unpack, WhatIsNotPackedComesBack) { EXPECT_EQ(unpack("plain text", "x"), "plain text"); }

TEST(Unpack, DamageIsAnErrorThatNamesIt) {
  std::string data(100'000, 'x');
  data += "end";
  std::string small = packed(data, archive_write_add_filter_xz);
  small.resize(small.size() / 2);
  try {
    unpack(small, "a thing");
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(e.message().find("'a thing'"), std::string::npos) << e.message();
  }
}

} // namespace
} // namespace banger::archive
