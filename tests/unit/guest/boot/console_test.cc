#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "guest/boot/console.h"

namespace banger::guest {

namespace {

using Signs = std::vector<std::pair<ConsoleSign, std::string>>;

Signs read(std::initializer_list<std::string_view> pieces) {
  Signs signs;
  ConsoleReader reader([&](ConsoleSign s, const std::string& t) { signs.emplace_back(s, t); });
  for (std::string_view p : pieces) reader.feed(p);
  return signs;
}

} // namespace

TEST(Console, StagesAreReadAcrossPieces) {
  Signs want{{ConsoleSign::first_byte, ""}, {ConsoleSign::init_stage, "disk"}};
  EXPECT_EQ(read({"banger-i", "nit: di", "sk 0.51\r\n"}), want);
}

TEST(Console, AFailureOfInitSaysWhereAndWhy) {
  Signs want{{ConsoleSign::first_byte, ""}, {ConsoleSign::init_failed, "root: no such device"}};
  EXPECT_EQ(read({"banger-init: failed at root: no such device\n"}), want);
}

TEST(Console, KernelLinesMayCarryATime) {
  Signs want{{ConsoleSign::first_byte, ""},
             {ConsoleSign::panic, "No working init found."},
             {ConsoleSign::restarting, ""}};
  EXPECT_EQ(read({"[    1.2] Kernel panic - not syncing: No working init found.\n",
                  "[    1.3] reboot: Restarting system\n"}),
            want);
}

TEST(Console, AnEndlessLineTakesNoMemoryAndHidesNothingAfterIt) {
  Signs signs;
  ConsoleReader reader([&](ConsoleSign s, const std::string& t) { signs.emplace_back(s, t); });
  std::string flood(1 << 20, 'x');
  for (int i = 0; i < 16; i++) reader.feed(flood);
  reader.feed("\nbanger-init: switch 1.0\n");
  EXPECT_EQ(signs.back(), (std::pair{ConsoleSign::init_stage, std::string("switch")}));
}

} // namespace banger::guest
