#include "guest/identity/known_hosts.h"

#include <thread>

#include <gtest/gtest.h>

#include "core/error.h"
#include "guest/identity/keys.h"
#include "sys/file.h"

namespace banger::guest {
namespace {

std::string key_line(unsigned char n) {
  KeyPair key;
  key.open.fill(n);
  return public_line(key);
}

KnownHost host(std::string_view name, int n) {
  return {std::string(name) + ".vm", "127.3.4." + std::to_string(n), 2200 + n,
          key_line(static_cast<unsigned char>(n))};
}

std::string line(std::string_view name, int n) {
  return fmt::format("[127.3.4.{0}]:{1},{2}.vm,127.3.4.{0},[{2}.vm]:{1} {3}\n", n, 2200 + n, name,
                     key_line(static_cast<unsigned char>(n)));
}

TEST(KnownHosts, OneLineAVm) {
  std::string content = with_known_host("", host("a", 1));
  EXPECT_EQ(content, line("a", 1));
  content = with_known_host(content, host("b", 2));
  EXPECT_EQ(content, line("a", 1) + line("b", 2));
  // A new key or address replaces the line.
  content = with_known_host(content, host("a", 3));
  EXPECT_EQ(content, line("b", 2) + line("a", 3));
  EXPECT_EQ(without_known_host(content, "b.vm"), line("a", 3));
  EXPECT_EQ(without_known_host(content, "c.vm"), content);
  EXPECT_EQ(without_known_host(content, "vm"), content);
  // The same again changes nothing, nor the order.
  EXPECT_EQ(with_known_host(content, host("b", 2)), content);
}

TEST(KnownHosts, AnAddressBelongsToOneVm) {
  EXPECT_EQ(with_known_host(line("old", 1), host("new", 1)), line("new", 1));
}

TEST(KnownHosts, FindsTheKeyByExactName) {
  std::string content = line("a", 1) + line("aa", 2);
  EXPECT_EQ(find_host_key(content, "aa.vm"), key_line(2));
  EXPECT_EQ(find_host_key(content, "a.vm"), key_line(1));
  EXPECT_EQ(find_host_key(content, "b.vm"), std::nullopt);
  EXPECT_EQ(find_host_key("", "a.vm"), std::nullopt);
  EXPECT_EQ(find_host_key("a.vm", "a.vm"), std::nullopt);
}

TEST(KnownHosts, RefusesNamesThatWouldMatchMore) {
  for (auto bad : {"", "*", "a.vm,b.vm", "a vm", "!a", "a\n", "#a"}) {
    KnownHost h = host("a", 1);
    h.host = bad;
    EXPECT_THROW(with_known_host("", h), Error) << bad;
    h = host("a", 1);
    h.reach = bad;
    EXPECT_THROW(with_known_host("", h), Error) << bad;
  }
  KnownHost h = host("a", 1);
  h.host_key = "ssh-ed25519 AAAA\nb.vm ssh-ed25519 AAAA";
  EXPECT_THROW(with_known_host("", h), Error);
}

TEST(KnownHosts, ManyAtOnceLoseNothing) {
  std::string dir = ::testing::TempDir() + "/banger-known-" + std::to_string(getpid());
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; t++)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 10; i++) {
        int n = 1 + t * 10 + i;
        set_known_host(dir, host("vm" + std::to_string(n), n));
        if (i % 2) remove_known_host(dir, "vm" + std::to_string(n) + ".vm");
      }
    });
  for (auto& t : threads) t.join();
  std::string content = sys::read_file(dir + "/known_hosts");
  for (int n = 1; n <= 40; n++)
    EXPECT_EQ(find_host_key(content, "vm" + std::to_string(n) + ".vm").has_value(),
              (n - 1) % 2 == 0);
  EXPECT_EQ(sys::find_info(dir + "/known_hosts")->mode, 0600u);
  sys::remove_tree(dir);
}

TEST(KnownHosts, ANewLineIsAppendedAndHalfAOneGoes) {
  std::string dir = ::testing::TempDir() + "/banger-half-" + std::to_string(getpid());
  std::string path = dir + "/known_hosts";
  auto inode = [&] { return sys::find_info(path)->ino; };
  set_known_host(dir, host("a", 1));
  auto first = inode();
  set_known_host(dir, host("b", 2));
  set_known_host(dir, host("a", 1));
  EXPECT_EQ(sys::read_file(path), line("a", 1) + line("b", 2));
  EXPECT_EQ(inode(), first);
  // A writer was killed within its line.
  sys::append(path, line("c", 3).substr(0, 30));
  set_known_host(dir, host("d", 4));
  EXPECT_EQ(sys::read_file(path), line("a", 1) + line("b", 2) + line("d", 4));
  // And one that changed nothing else.
  sys::append(path, "x");
  set_known_host(dir, host("d", 4));
  EXPECT_EQ(sys::read_file(path), line("a", 1) + line("b", 2) + line("d", 4));
  sys::remove_tree(dir);
}

TEST(KnownHosts, RemovingFromNothingMakesNothing) {
  std::string dir = ::testing::TempDir() + "/banger-unknown-" + std::to_string(getpid());
  remove_known_host(dir, "a.vm");
  EXPECT_FALSE(sys::exists(dir));
}

} // namespace
} // namespace banger::guest
