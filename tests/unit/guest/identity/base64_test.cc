#include "guest/identity/base64.h"

#include <gtest/gtest.h>

namespace banger::guest {
namespace {

using namespace std::literals;

TEST(Base64, EncodesTheVectorsOfRfc4648) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64("foob"), "Zm9vYg==");
  EXPECT_EQ(base64("fooba"), "Zm9vYmE=");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
}

TEST(Base64, ReadsWhatItWrote) {
  std::string all;
  for (int i = 0; i < 256; i++) all += static_cast<char>(i);
  for (size_t n = 0; n <= all.size(); n++)
    EXPECT_EQ(from_base64(base64(all.substr(0, n))), all.substr(0, n)) << n;
}

TEST(Base64, RefusesWhatIsNone) {
  for (auto text : {"Z"sv, "Zg="sv, "Zg"sv, "Z=g="sv, "===="sv, "Zm9v\n"sv, "Zm9 "sv, "Zm9_"sv,
                    "Zh=="sv, "Zm9="sv, "=Zm9"sv, "Zg==Zg=="sv})
    EXPECT_EQ(from_base64(text), std::nullopt) << text;
}

} // namespace
} // namespace banger::guest
