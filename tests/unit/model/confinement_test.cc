// What keeps a VMM from its host, as it is recorded, and what each version of Landlock leaves open.
#include <gtest/gtest.h>

#include "core/text.h"
#include "model/confinement.h"

namespace banger {
namespace {

TEST(Confinement, IsReadAsItIsWritten) {
  for (const auto& [c, text] : {std::pair{Confinement{true, 7}, "namespaces, landlock 7"},
                                {Confinement{true, 0}, "namespaces"},
                                {Confinement{false, 12}, "landlock 12"},
                                {Confinement{}, ""}}) {
    EXPECT_EQ(to_text(c), text);
    EXPECT_EQ(parse_confinement(text), c);
  }
  EXPECT_EQ(parse_confinement("something of a later version"), Confinement{});
}

std::string open_to(const Confinement& c, bool own_network) {
  return join(left_open(c, own_network), ", ");
}

TEST(Confinement, AnOlderLandlockLeavesMoreOpen) {
  const std::string always = "sockets in directories, a look at processes";
  const std::string files = always + ", cutting files short, signals to processes";
  for (int version : {1, 2}) {
    EXPECT_EQ(open_to({false, version}, false), files + ", TCP, abstract sockets") << version;
    EXPECT_EQ(open_to({false, version}, true), files) << version;
    EXPECT_EQ(open_to({true, version}, false), "TCP, abstract sockets") << version;
  }
  EXPECT_EQ(open_to({false, 3}, false), always + ", signals to processes, TCP, abstract sockets");
  for (int version : {4, 5}) {
    EXPECT_EQ(open_to({false, version}, false), always + ", signals to processes, abstract sockets")
        << version;
    EXPECT_EQ(open_to({true, version}, false), "abstract sockets") << version;
  }
  for (int version : {6, 7}) {
    EXPECT_EQ(open_to({false, version}, false), always) << version;
    EXPECT_EQ(open_to({true, version}, false), "") << version;
  }
  EXPECT_EQ(open_to({true, 0}, false), "TCP, abstract sockets");
  for (int version = 0; version < 8; version++) EXPECT_EQ(open_to({true, version}, true), "");
  EXPECT_EQ(open_to({}, false), ""); // all is
}

} // namespace
} // namespace banger
