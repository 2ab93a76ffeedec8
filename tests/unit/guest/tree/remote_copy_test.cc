#include "guest/tree/remote_copy.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace banger::guest {
namespace {

using Kind = CopyItem::Kind;

TEST(SentKind, IsWhatWasAskedFor) {
  for (const char* path : {"f", "d/f", "/f", "..f", "f.", "d/.f"}) {
    for (bool deep : {false, true}) EXPECT_EQ(sent_kind("file", path, deep), Kind::file) << path;
    EXPECT_EQ(sent_kind("link", path, true), Kind::link) << path;
    EXPECT_EQ(sent_kind("directory", path, true), Kind::directory) << path;
    for (const char* word : {"link", "directory"})
      EXPECT_THROW(sent_kind(word, path, false), Error) << path;
  }
}

TEST(SentKind, APathThatEndsAsADirectoryIsNothingElse) {
  for (const char* path : {"", "/", ".", "..", "d/", "d//", "d/.", "d/..", "/."}) {
    EXPECT_EQ(sent_kind("directory", path, true), Kind::directory) << path;
    EXPECT_THROW(sent_kind("directory", path, false), Error) << path;
    for (const char* word : {"file", "link"})
      for (bool deep : {false, true}) EXPECT_THROW(sent_kind(word, path, deep), Error) << path;
  }
}

TEST(SentKind, OtherWordsAreNone) {
  for (const char* word : {"", "socket", "File", "file\r"})
    for (bool deep : {false, true}) EXPECT_THROW(sent_kind(word, "f", deep), Error) << word;
}

} // namespace
} // namespace banger::guest
