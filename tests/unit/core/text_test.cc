#include "core/text.h"

#include <gtest/gtest.h>

namespace banger {
namespace {

using Words = std::vector<std::string>;

TEST(Text, SplitKeepsEmptyParts) {
  EXPECT_EQ(split("a,,b", ','), (Words{"a", "", "b"}));
  EXPECT_EQ(split("", ','), (Words{""}));
  EXPECT_EQ(split(",", ','), (Words{"", ""}));
}

TEST(Text, JoinIsTheReverse) {
  EXPECT_EQ(join(Words{}, ", "), "");
  EXPECT_EQ(join(Words{"a"}, ", "), "a");
  EXPECT_EQ(join(Words{"a", "", "b"}, ","), "a,,b");
}

TEST(Text, TrimTakesOnlyTheEnds) {
  EXPECT_EQ(trim("  a b\t\r\n"), "a b");
  EXPECT_EQ(trim(" \n "), "");
  EXPECT_EQ(trim(""), "");
}

TEST(Escape, PlainTextAndUtf8Stay) {
  for (const char* text : {"plain", "tab\tand\nnewline", "Grüße, 日本, 😀", ""})
    EXPECT_EQ(escape_for_terminal(text), text);
}

TEST(Escape, NothingMovesTheCursorOrRecolours) {
  EXPECT_EQ(escape_for_terminal("\x1b[2J\x1b]0;title\x07"), "\\x1b[2J\\x1b]0;title\\x07");
  EXPECT_EQ(escape_for_terminal("over\rwritten\b\x7f"), "over\\x0dwritten\\x08\\x7f");
  EXPECT_EQ(escape_for_terminal(std::string_view("\0", 1)), "\\x00");
  // U+009B is an escape of its own (CSI), also when it comes as UTF-8.
  EXPECT_EQ(escape_for_terminal("\xc2\x9b"
                                "31m"),
            "\\xc2\\x9b31m");
}

TEST(Escape, TextCannotBeTurnedRound) {
  EXPECT_EQ(escape_for_terminal("a\u202eb"), "a\\xe2\\x80\\xaeb");
  EXPECT_EQ(escape_for_terminal("a\u2066b"), "a\\xe2\\x81\\xa6"
                                             "b");
}

TEST(Escape, InvalidUtf8IsShownByteByByte) {
  EXPECT_EQ(escape_for_terminal("\xff\xfe"), "\\xff\\xfe");
  EXPECT_EQ(escape_for_terminal("\xc3"), "\\xc3");                   // cut short
  EXPECT_EQ(escape_for_terminal("\xc0\xaf"), "\\xc0\\xaf");          // overlong '/'
  EXPECT_EQ(escape_for_terminal("\xed\xa0\x80"), "\\xed\\xa0\\x80"); // a surrogate
  EXPECT_EQ(escape_for_terminal("\xf5\x80\x80\x80"), "\\xf5\\x80\\x80\\x80");
  EXPECT_EQ(escape_for_terminal("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80"); // above U+10FFFF
}

TEST(ShellQuote, OnlyWhereNeeded) {
  EXPECT_EQ(shell_quote("a/b-c_d.e=f"), "a/b-c_d.e=f");
  EXPECT_EQ(shell_quote(""), "''");
  EXPECT_EQ(shell_quote("a b"), "'a b'");
  EXPECT_EQ(shell_quote("it's"), "'it'\\''s'");
  EXPECT_EQ(shell_quote("$(reboot)"), "'$(reboot)'");
  EXPECT_EQ(shell_quote("a\nb"), "'a\nb'");
  EXPECT_EQ(shell_quote("~root"), "'~root'");
}

TEST(LastLines, CountsFromTheEnd) {
  EXPECT_EQ(last_lines("a\nb\nc\n", 2), "b\nc");
  EXPECT_EQ(last_lines("a\nb\nc", 5), "a\nb\nc");
  EXPECT_EQ(last_lines("\n\na\n\n\n", 1), "a");
  EXPECT_EQ(last_lines("", 3), "");
  EXPECT_EQ(last_lines("a\nb", 0), "");
}

TEST(DidYouMean, TakesTheNearestOnly) {
  Words verbs{"create", "start", "stop", "stats", "rm"};
  EXPECT_EQ(did_you_mean("creat", verbs), "create");
  EXPECT_EQ(did_you_mean("crate", verbs), "create");
  EXPECT_EQ(did_you_mean("stpo", verbs), "stop");
  EXPECT_EQ(did_you_mean("cre", verbs), "create");
  EXPECT_EQ(did_you_mean("wbe", std::vector<std::string>{"db", "web"}), "web");
  EXPECT_EQ(did_you_mean("frobnicate", verbs), std::nullopt);
  EXPECT_EQ(did_you_mean("secret", verbs), std::nullopt); // three of six letters
  EXPECT_EQ(did_you_mean("swarm", verbs), std::nullopt);
  EXPECT_EQ(did_you_mean("worker2", std::vector<std::string>{"worker1", "worker12"}), std::nullopt);
  EXPECT_EQ(did_you_mean("wroker1", std::vector<std::string>{"worker1"}), "worker1");
  EXPECT_EQ(did_you_mean("", verbs), std::nullopt);
  EXPECT_EQ(did_you_mean("x", {}), std::nullopt);
}

} // namespace
} // namespace banger
