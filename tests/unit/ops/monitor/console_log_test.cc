// The log of a guest's console, which its VMM writes.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "ops/monitor/console_log.h"
#include "sys/file.h"

namespace banger::ops {
namespace {

TEST(ConsoleLog, AVmmThatMakesItLongerThanAnyDiskKeepsNobodyBusy) {
  std::string pattern = ::testing::TempDir() + "console.XXXXXX", dir = ::mkdtemp(pattern.data());
  std::string console = dir + "/console.log";
  sys::Loop loop;
  std::string seen;
  ConsoleLog log(loop, console, dir + "/vmm.log",
                 [&](guest::ConsoleSign sign, const std::string& text) {
                   if (sign == guest::ConsoleSign::halted) seen += text + ".";
                 });
  // What is less than a log is cut at is read whole.
  Fd file = sys::open_file(console, O_WRONLY | O_APPEND);
  sys::write_all(file.get(), "[    1.0] reboot: System halted\n" + std::string(5 << 20, '\n'));
  log.read();
  std::string once = seen;
  EXPECT_NE(once, "");
  ASSERT_EQ(::ftruncate(file.get(), int64_t{4} << 40), 0);
  sys::write_all(file.get(), "\n[    1.0] reboot: System halted\n");
  log.read();
  EXPECT_EQ(seen, once + once);
  sys::remove_tree(dir);
}

} // namespace
} // namespace banger::ops
