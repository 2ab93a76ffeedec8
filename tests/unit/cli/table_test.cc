#include <gtest/gtest.h>

#include "cli/app.h"

namespace banger::cli {
namespace {

TEST(Table, whatCannotBeCutEnoughLeavesColumnsOut) {
  Table t({{"NAME"}, {.title = "A", .goes = 1}, {.title = "LAST", .shrink = true, .goes = 2}});
  t.row({"a-name", "aaaa", "long text"});
  EXPECT_EQ(t.text(23), "NAME    A     LAST\na-name  aaaa  long text\n");
  EXPECT_EQ(t.text(20), "NAME    A     LAST\na-name  aaaa  long …\n");
  EXPECT_EQ(t.text(19), "NAME    A\na-name  aaaa\n");
  EXPECT_EQ(t.text(11), "NAME\na-name\n");
  EXPECT_EQ(t.text(3), "NAME\na-name\n"); // a name stays whole
}

TEST(Table, AlignsAndLeavesNoTrailingBlanks) {
  Table t({{"NAME"}, {"CPUS", true}, {"STATE"}});
  t.row({"a", "10", "running"});
  t.row({"longer", "2", ""});
  EXPECT_EQ(t.text(0), "NAME    CPUS  STATE\n"
                       "a         10  running\n"
                       "longer     2\n");
}

TEST(Table, CutsOnlyWhatMayShrink) {
  Table t({{"NAME"}, {"SOURCE", false, true}});
  t.row({"demo", "a very long source of an image"});
  EXPECT_EQ(t.text(20), "NAME  SOURCE\n"
                        "demo  a very long s…\n");
  EXPECT_EQ(t.text(10), "NAME  SOURCE\n"
                        "demo  a ver…\n"); // never narrower than six columns
}

TEST(Table, AWordLosesItsMiddle) {
  Table t({{"NAME", false, true}});
  t.row({"a-long-name-of-a-team-1"});
  t.row({"a-long-name-of-a-team-2"});
  t.row({"äöüäöüäöüäöü"});
  EXPECT_EQ(t.text(11), "NAME\na-lon…eam-1\na-lon…eam-2\näöüäö…öüäöü\n");
  EXPECT_EQ(t.text(6), "NAME\na-l…-1\na-l…-2\näöü…öü\n");
}

TEST(Table, CountsCodePointsNotBytes) {
  Table t({{"A"}, {"B"}});
  t.row({"äöü", "x"});
  t.row({"abc", "y"});
  EXPECT_EQ(t.text(0), "A    B\näöü  x\nabc  y\n");
}

TEST(Table, HostileCellsStayInTheirCell) {
  Table t({{"A"}, {"B"}});
  t.row({"\x1b[31m\nx", "y"});
  EXPECT_EQ(t.text(0), "A           B\n\\x1b[31m x  y\n");
}

} // namespace
} // namespace banger::cli
