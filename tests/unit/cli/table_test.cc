#include <gtest/gtest.h>

#include "cli/app.h"

namespace banger::cli {
namespace {

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
                        "demo  a very …\n"); // never narrower than eight columns
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
