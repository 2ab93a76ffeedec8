#include "guest/identity/keys.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "guest/identity/base64.h"

namespace banger::guest {
namespace {

// Test 1 of RFC 8032, 7.1.
KeyPair rfc_key() {
  auto bytes = [](std::string_view hex) {
    std::array<unsigned char, 32> out{};
    for (size_t i = 0; i < 32; i++)
      out[i] =
          static_cast<unsigned char>(std::stoi(std::string(hex.substr(2 * i, 2)), nullptr, 16));
    return out;
  };
  return {bytes("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"),
          bytes("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")};
}

TEST(Keys, PublicLine) {
  EXPECT_EQ(public_line(rfc_key()),
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea");
  EXPECT_EQ(parse_public_line(public_line(rfc_key(), "root@demo") + "\n"), public_blob(rfc_key()));
}

TEST(Keys, PrivateKeyIsReadBack) {
  for (auto comment : {"", "a", "root@demo", "1234567", "12345678"})
    EXPECT_EQ(parse_openssh_private(openssh_private(rfc_key(), comment)), rfc_key()) << comment;
}

TEST(Keys, DropbearKeyIsTypeSeedAndPublicHalf) {
  std::string blob = dropbear_private(rfc_key());
  ASSERT_EQ(blob.size(), 4u + 11 + 4 + 64);
  EXPECT_EQ(blob.substr(4, 11), "ssh-ed25519");
  EXPECT_EQ(blob[18], 64);
  EXPECT_EQ(static_cast<unsigned char>(blob[19]), 0x9d);
  EXPECT_EQ(static_cast<unsigned char>(blob[19 + 32]), 0xd7);
}

TEST(Keys, RefusesWhatIsNoPublicKey) {
  for (auto text :
       {"", "ssh-ed25519", "ssh-ed25519 ", "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1EaAAAA",
        "ssh-ed25519 not-base64"})
    EXPECT_THROW(parse_public_line(text), Error) << text;
}

TEST(Keys, EveryCutOfAPrivateKeyIsRefused) {
  std::string whole = openssh_private(rfc_key(), "root@demo");
  for (size_t n = 0; n < whole.size() - 1; n++)
    EXPECT_THROW(parse_openssh_private(whole.substr(0, n)), Error) << n;
}

TEST(Keys, DamagedPrivateKeysAreRefusedOrHarmless) {
  std::string whole = openssh_private(rfc_key(), "root@demo");
  for (size_t n = 0; n < whole.size(); n++) {
    std::string bad = whole;
    bad[n] = bad[n] == 'A' ? 'B' : 'A';
    try {
      // Other parts (comment, padding, options) may change; the public half may not.
      EXPECT_EQ(parse_openssh_private(bad).open, rfc_key().open) << n;
    } catch (const Error&) {
    }
  }
}

} // namespace
} // namespace banger::guest
