#include "model/name.h"

#include <set>

#include <gtest/gtest.h>

#include "core/error.h"

namespace banger {
namespace {

std::string fault_of(const std::string& name) {
  try {
    valid_name("VM name", name);
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::usage);
    return e.message();
  }
  return {};
}

TEST(Name, OneLabel) {
  for (const char* name : {"a", "0", "demo", "web-1", "a--b", "1234", "xn--d"}) {
    EXPECT_TRUE(is_name(name)) << name;
    EXPECT_EQ(valid_name("VM name", name), name);
  }
  EXPECT_TRUE(is_name(std::string(63, 'a')));
}

TEST(Name, RefusesEverythingElse) {
  for (std::string name : {"", "-", "-a", "a-", "a.b", "a/b", "..", "/etc", "Demo", "DEMO", "a b",
                           "a_b", "é", "a\n", "a\\", "$x", "*", "demo.vm"})
    EXPECT_NE(fault_of(name), "") << name;
  EXPECT_NE(fault_of(std::string(64, 'a')), "");
  EXPECT_NE(fault_of(std::string("a\0b", 3)), "");
}

TEST(Name, TheErrorSaysWhatIsWrong) {
  EXPECT_EQ(fault_of("Demo"), "invalid VM name 'Demo': it has upper-case letters");
  EXPECT_EQ(fault_of("a-"), "invalid VM name 'a-': it begins or ends with '-'");
  EXPECT_EQ(fault_of(""), "invalid VM name '': it is empty");
  // A name from outside cannot move the cursor, nor flood the terminal.
  EXPECT_EQ(fault_of("\x1b[2J"),
            "invalid VM name '\\x1b[2J': only a-z, 0-9 and '-' may stand in it");
  EXPECT_LT(fault_of(std::string(100'000, 'a')).size(), 200U);
}

TEST(Name, ReservedAreTheVerbsOfSsh) {
  for (const char* name : {"cp", "sync", "forward", "config"})
    EXPECT_TRUE(is_reserved_vm_name(name)) << name;
  for (const char* name :
       {"cp", "localhost", "ip6-loopback", "1", "0", "127001", "0x7f000001", "0123456789ab"})
    EXPECT_FALSE(other_meaning(name).empty()) << name;
  for (const char* name : {"demo", "1a", "0x", "0xg", "web-1", "beef", "local", "0-1",
                           "0123456789a", "0123456789abc", "0123456789ag"})
    EXPECT_TRUE(other_meaning(name).empty()) << name;
  for (const char* name : {"localhost", "1", "0123456789ab"})
    EXPECT_FALSE(other_image_meaning(name).empty()) << name;
  EXPECT_TRUE(other_image_meaning("cp").empty());
  EXPECT_FALSE(is_reserved_vm_name("demo"));
  EXPECT_FALSE(is_reserved_vm_name("cp1"));
}

TEST(Id, Prefixes) {
  for (const char* id : {"0000", "beef", "0123456789ab"}) EXPECT_TRUE(is_id_prefix(id)) << id;
  for (const char* id : {"", "abc", "0123456789abc", "BEEF", "xyzw", "be ef"})
    EXPECT_FALSE(is_id_prefix(id)) << id;
}

TEST(Id, NewOnesDiffer) {
  std::set<std::string> ids;
  for (int i = 0; i < 1000; i++) {
    std::string id = new_id();
    EXPECT_EQ(id.size(), 12U);
    EXPECT_TRUE(is_id_prefix(id)) << id;
    ids.insert(id);
  }
  EXPECT_EQ(ids.size(), 1000U);
}

TEST(Tag, LiesInTheMiddleOfALoopbackRange) {
  for (int i = 0; i < 2000; i++) {
    std::string tag = new_tag();
    EXPECT_EQ(tag.size(), 4U);
    EXPECT_EQ(tag.find_first_not_of("0123456789abcdef"), std::string::npos) << tag;
    EXPECT_NE(tag.substr(0, 2), "00");
    EXPECT_NE(tag.substr(0, 2), "ff");
  }
}

TEST(Label, KeyAndValue) {
  using Pair = std::pair<std::string, std::string>;
  EXPECT_EQ(parse_label("job=42"), (Pair{"job", "42"}));
  EXPECT_EQ(parse_label("a.b/c_D-9="), (Pair{"a.b/c_D-9", ""}));
  EXPECT_EQ(parse_label("k=a=b"), (Pair{"k", "a=b"}));
  EXPECT_EQ(parse_label("k=grün 😀"), (Pair{"k", "grün 😀"}));
  EXPECT_EQ(parse_label("k=" + std::string(255, 'v')).second.size(), 255U);
}

TEST(Label, RefusesWhatIsNone) {
  for (std::string label : {"", "k", "=v", "a b=v", "k=\n", "k=\t", "k=\x1b[m", "k=\xff", "é=v"}) {
    try {
      parse_label(label);
      ADD_FAILURE() << label;
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Code::usage) << label;
    }
  }
  EXPECT_THROW(parse_label(std::string(64, 'k') + "=v"), Error);
  EXPECT_THROW(parse_label("k=" + std::string(256, 'v')), Error);
}

} // namespace
} // namespace banger
