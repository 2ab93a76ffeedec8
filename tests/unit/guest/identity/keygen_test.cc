#include "guest/identity/keygen.h"

#include <thread>

#include <gtest/gtest.h>

#include "core/error.h"
#include "sys/file.h"

namespace banger::guest {
namespace {

class StateKeyTest : public ::testing::Test {
protected:
  std::string dir_ = ::testing::TempDir() + "/banger-keys-" + std::to_string(getpid());
  std::string path_ = dir_ + "/id_ed25519";
  void SetUp() override { sys::remove_tree(dir_); }
  void TearDown() override { sys::remove_tree(dir_); }
};

TEST(Keygen, NoTwoKeysAreEqual) {
  KeyPair a = generate_key(), b = generate_key();
  EXPECT_NE(a.secret, b.secret);
  EXPECT_NE(a.open, b.open);
  EXPECT_EQ(parse_openssh_private(openssh_private(a, "x")), a);
}

TEST(Keygen, SignsAsRfc8032Says) {
  // Test 2 of RFC 8032, 7.1.
  KeyPair key;
  const unsigned char secret[] = {0x4c, 0xcd, 0x08, 0x9b, 0x28, 0xff, 0x96, 0xda, 0x9d, 0xb6, 0xc3,
                                  0x46, 0xec, 0x11, 0x4e, 0x0f, 0x5b, 0x8a, 0x31, 0x9f, 0x35, 0xab,
                                  0xa6, 0x24, 0xda, 0x8c, 0xf6, 0xed, 0x4f, 0xb8, 0xa6, 0xfb};
  std::copy(std::begin(secret), std::end(secret), key.secret.begin());
  std::string signature = sign(key, "\x72");
  EXPECT_EQ(static_cast<unsigned char>(signature[0]), 0x92);
  EXPECT_EQ(static_cast<unsigned char>(signature[1]), 0xa0);
  EXPECT_EQ(static_cast<unsigned char>(signature[63]), 0x00);
  EXPECT_EQ(static_cast<unsigned char>(signature[62]), 0x0c);
}

TEST_F(StateKeyTest, IsMadeOnceAndPrivate) {
  StateKey first = ensure_state_key(dir_);
  EXPECT_EQ(first.identity, path_);
  EXPECT_EQ(first.public_line, public_line(parse_openssh_private(sys::read_file(path_)), "banger"));
  EXPECT_EQ(sys::read_file(path_ + ".pub"), first.public_line + "\n");
  EXPECT_EQ(sys::find_info(path_)->mode, 0600u);
  EXPECT_EQ(sys::find_info(dir_)->mode, 0700u);
  EXPECT_EQ(ensure_state_key(dir_).public_line, first.public_line);
}

TEST_F(StateKeyTest, TwoAtOnceMakeOne) {
  std::vector<std::string> lines(8);
  std::vector<std::thread> threads;
  for (auto& line : lines) threads.emplace_back([&] { line = ensure_state_key(dir_).public_line; });
  for (auto& t : threads) t.join();
  for (const auto& line : lines) EXPECT_EQ(line, lines[0]);
}

TEST_F(StateKeyTest, MendsThePublicHalf) {
  std::string line = ensure_state_key(dir_).public_line;
  sys::remove_file(path_ + ".pub");
  EXPECT_EQ(ensure_state_key(dir_).public_line, line);
  EXPECT_EQ(sys::read_file(path_ + ".pub"), line + "\n");
  sys::write_atomic(path_ + ".pub", "ssh-ed25519 other\n");
  EXPECT_EQ(ensure_state_key(dir_).public_line, line);
  EXPECT_EQ(sys::read_file(path_ + ".pub"), line + "\n");
}

TEST_F(StateKeyTest, RefusesGarbageAndLeavesIt) {
  sys::make_dirs(dir_);
  sys::write_atomic(path_, "garbage");
  try {
    ensure_state_key(dir_);
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(e.message().find(path_), std::string::npos);
    EXPECT_NE(e.hint(), "");
  }
  EXPECT_EQ(sys::read_file(path_), "garbage");
}

} // namespace
} // namespace banger::guest
