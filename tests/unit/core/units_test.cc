#include "core/units.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace banger {
namespace {

constexpr int64_t K = 1024, M = K * K, G = K * M, T = K * G;

Code code_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.code();
  }
  ADD_FAILURE() << "nothing was thrown";
  return Code::failed;
}

TEST(Size, BinaryMultiples) {
  EXPECT_EQ(parse_size("size", "1"), 1);
  EXPECT_EQ(parse_size("size", "512M"), 512 * M);
  EXPECT_EQ(parse_size("size", "2g"), 2 * G);
  EXPECT_EQ(parse_size("size", "3GiB"), 3 * G);
  EXPECT_EQ(parse_size("size", "4kB"), 4 * K);
  EXPECT_EQ(parse_size("size", "1gb"), G);
  EXPECT_EQ(parse_size("size", "1GIB"), G);
  EXPECT_EQ(parse_size("size", "1T"), T);
  EXPECT_EQ(parse_size("size", "1024T"), 1024 * T); // the limit itself
}

TEST(Size, RefusesWhatIsNone) {
  for (const char* text : {"",
                           "0",
                           "0M",
                           "-1",
                           "+1",
                           " 1",
                           "1 ",
                           "1.5",
                           "1.G",
                           ".5G",
                           "1.5.5G",
                           "M",
                           "1X",
                           "1MM",
                           "1GiBs",
                           "0x10",
                           "1e3",
                           "99999T",
                           "1025T",
                           "9223372036854775807",
                           "9223372036854775808",
                           "99999999999999999999G"})
    EXPECT_EQ(code_of([&] { parse_size("memory", text); }), Code::usage) << text;
}

TEST(Size, FractionsAreWholeMultiplesOfTheUnitBelow) {
  EXPECT_EQ(parse_size("size", "1.5G"), 1536 * M);
  EXPECT_EQ(parse_size("size", "1.9G"), 1946 * M); // 1945.6
  EXPECT_EQ(parse_size("size", "0.5K"), 512);
  EXPECT_EQ(parse_size("size", "1.5T"), 1536 * G);
  EXPECT_EQ(parse_size("size", "0.25P"), 256 * T);
}

TEST(Size, WhatIsShownIsTaken) {
  for (int64_t size : {int64_t{1}, int64_t{512}, K, 1536 * K, M - 1, 517 * M, 1500 * M, 20 * G,
                       999 * T, 1024 * T}) {
    std::string shown = format_size(size);
    EXPECT_EQ(format_size(parse_size("size", shown)), shown) << size;
  }
}

TEST(Size, TheErrorNamesWhatAndQuotesIt) {
  try {
    parse_size("memory", "99999T");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.message(), "invalid memory '99999T': more than 1P");
    EXPECT_NE(e.hint().find("512M"), std::string::npos);
  }
}

TEST(Size, KeepsToAMaximum) {
  EXPECT_EQ(parse_size("size", "4G", 4 * G), 4 * G);
  EXPECT_EQ(code_of([] { parse_size("size", "4097M", 4 * G); }), Code::usage);
}

TEST(Size, Shown) {
  EXPECT_EQ(format_size(0), "0");
  EXPECT_EQ(format_size(1023), "1023");
  EXPECT_EQ(format_size(1024), "1K");
  EXPECT_EQ(format_size(1536 * M), "1.5G");
  EXPECT_EQ(format_size(512 * M), "512M");
  EXPECT_EQ(format_size(M - 1), "1M"); // not "1024K"
  EXPECT_EQ(format_size(1500 * G), "1.5T");
}

TEST(Duration, Units) {
  EXPECT_EQ(parse_duration("timeout", "30"), Millis(30'000));
  EXPECT_EQ(parse_duration("timeout", "30s"), Millis(30'000));
  EXPECT_EQ(parse_duration("timeout", "250ms"), Millis(250));
  EXPECT_EQ(parse_duration("timeout", "5m"), Millis(300'000));
  EXPECT_EQ(parse_duration("timeout", "2h"), Millis(7'200'000));
  EXPECT_EQ(parse_duration("timeout", "0"), Millis(0));
  EXPECT_EQ(parse_duration("timeout", "1min"), Millis(60'000));
  EXPECT_EQ(parse_duration("timeout", "1hour 2minutes 3sec 4msec"), Millis(3'723'004));
}

TEST(Duration, RefusesWhatIsNone) {
  for (const char* text :
       {"", "-1", "1.s", ".5s", "s", "1y", "5 m", "4000d", "99999999999999999999", "1m30", "1m ",
        "1m  4s", "4s1m", "1s1s", "1.5m3s", "1m,4s", "3000d 900d", "1M", "1sm"})
    EXPECT_EQ(code_of([&] { parse_duration("timeout", text); }), Code::usage) << text;
}

TEST(Duration, SeveralUnitsAndFractions) {
  EXPECT_EQ(parse_duration("timeout", "1.5s"), Millis(1500));
  EXPECT_EQ(parse_duration("timeout", "0.25m"), Millis(15'000));
  EXPECT_EQ(parse_duration("timeout", "1m30s"), Millis(90'000));
  EXPECT_EQ(parse_duration("timeout", "1m 4s"), Millis(64'000));
  EXPECT_EQ(parse_duration("timeout", "1h 250ms"), Millis(3'600'250));
  EXPECT_EQ(parse_duration("timeout", "1m1.5s"), Millis(61'500));
}

TEST(Duration, WhatIsShownIsTaken) {
  for (double seconds : {0.0, 0.44, 9.9, 42.0, 64.0, 90.0, 7500.0, 90'000.0, 86'400.0 * 200}) {
    std::string shown = format_duration(Seconds(seconds));
    EXPECT_EQ(format_duration(parse_duration("timeout", shown)), shown) << seconds;
  }
}

TEST(Duration, TheErrorSaysWhatIsMissing) {
  try {
    parse_duration("timeout", "1m 30");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.message(), "invalid timeout '1m 30': the unit of its last number is missing");
  }
}

TEST(Duration, Shown) {
  EXPECT_EQ(format_duration(Seconds(0)), "0.0s");
  EXPECT_EQ(format_duration(Seconds(0.44)), "0.4s");
  EXPECT_EQ(format_duration(Seconds(9.96)), "10s"); // not "10.0s"
  EXPECT_EQ(format_duration(Seconds(59.6)), "1m 0s");
  EXPECT_EQ(format_duration(Seconds(200)), "3m 20s");
  EXPECT_EQ(format_duration(Seconds(2 * 3600 + 5 * 60)), "2h 5m");
  EXPECT_EQ(format_duration(Seconds(3 * 86400 + 4 * 3600)), "3d 4h");
}

TEST(Number, WholeAndWithin) {
  EXPECT_EQ(parse_number("cpus", "1", 1, 8), 1);
  EXPECT_EQ(parse_number("cpus", "8", 1, 8), 8);
  EXPECT_EQ(parse_number("offset", "-3", -5, 5), -3);
  for (const char* text :
       {"", "0", "9", "1.0", "1 ", " 1", "+1", "0x1", "one", "1e0", "99999999999999999999"})
    EXPECT_EQ(code_of([&] { parse_number("cpus", text, 1, 8); }), Code::usage) << text;
}

} // namespace
} // namespace banger
