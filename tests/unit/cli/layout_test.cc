#include "cli/layout.h"

#include <gtest/gtest.h>

namespace banger::cli {
namespace {

TEST(Layout, TextIsBrokenAtSpacesAndItsFurtherLinesAreIndented) {
  EXPECT_EQ(wrapped("one two three four five", 20, 4), "one two three\n"
                                                       "    four five");
  EXPECT_EQ(wrapped("one two three", 17, 4), "one two three"); // just so
  EXPECT_EQ(wrapped("one\ntwo", 80, 4), "one\n    two");
  EXPECT_EQ(wrapped("\none\n\ntwo", 80, 2), "\n  one\n\n  two");
  EXPECT_EQ(wrapped("", 80, 4), "");
}

TEST(Layout, WhatFitsKeepsItsBlanks) {
  EXPECT_EQ(wrapped("[    0.1] a  b", 80, 4), "[    0.1] a  b");
}

TEST(Layout, WhatWasIndentedStaysSo) {
  EXPECT_EQ(wrapped("said:\n  one two three four", 18, 2), "said:\n"
                                                           "    one two three\n"
                                                           "    four");
  EXPECT_EQ(wrapped("             one two", 16, 2), "one two"); // no room for that
}

TEST(Layout, AWordLongerThanALineStaysWhole) {
  EXPECT_EQ(wrapped("see /a/very/long/path/of/a/file now", 20, 4),
            "see\n    /a/very/long/path/of/a/file\n    now");
}

TEST(Layout, NothingIsBrokenWithoutATerminalOrRoom) {
  EXPECT_EQ(wrapped("one two three four five\nsix", 0, 4), "one two three four five\n    six");
  EXPECT_EQ(wrapped("one two three four five", 14, 4), "one two three four five");
}

TEST(Layout, ColumnsAreTheTerminals) {
  EXPECT_EQ(wrapped("äöüä öüäö üäöü äöü", 20, 4), "äöüä öüäö üäöü\n    äöü");
  EXPECT_EQ(cut_end("äöüäöü", 4), "äöü…");
  EXPECT_EQ(cut_end("abcd", 4), "abcd");
  EXPECT_EQ(cut("äöüäöü", 4), "äö…ü");
  // Wide ones have two columns, marks upon another none.
  EXPECT_EQ(width_of("日本語"), 6u);
  EXPECT_EQ(width_of("e\u0301a"), 2u);
  EXPECT_EQ(width_of("\U0001f600!"), 3u);
  EXPECT_EQ(cut("日本語日本語", 8), "日本…語");
  EXPECT_EQ(cut("日本語日本語", 7), "日…語");
  EXPECT_EQ(cut_end("日本語", 4), "日…");
  EXPECT_EQ(cut("ae\u0301ae\u0301ae\u0301", 4), "ae\u0301…e\u0301");
}

} // namespace
} // namespace banger::cli
