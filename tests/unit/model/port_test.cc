#include "model/port.h"

#include <gtest/gtest.h>

#include "core/error.h"

using namespace banger;

namespace {

std::string texts(const std::vector<Port>& ports) {
  std::string out;
  for (const Port& p : ports) out += (out.empty() ? "" : " ") + to_text(p);
  return out;
}

std::string parsed(std::string_view text) { return texts(parse_ports(text)); }

} // namespace

TEST(Port, isAtLoopbackAndAtTheVmsOwnAddress) {
  EXPECT_EQ("127.0.0.1:8080:80 own:8080:80", parsed("8080:80"));
  EXPECT_EQ("127.0.0.1:53:5353/udp own:53:5353/udp", parsed("53:5353/udp"));
  EXPECT_EQ("own:8080:80", parsed("own:8080:80/tcp"));
  EXPECT_EQ("127.0.0.1:8080:80", parsed("localhost:8080:80"));
  EXPECT_EQ("10.1.2.3:8080:80", parsed("10.01.2.003:8080:80"));
}

TEST(Port, mayBeARange) {
  EXPECT_EQ("own:8000:9000 own:8001:9001", parsed("own:8000-8001:9000-9001"));
  EXPECT_EQ(22u, parse_ports("8000-8010:8000-8010").size());
  EXPECT_EQ("own:65535:65535", parsed("own:65535-65535:65535-65535"));
  for (const char* bad : {"8000-8001:80", "80:8000-8001", "8001-8000:8001-8000", "8000-:8000-",
                          "-8000:-8000", "1-2-3:1-2-3", "0-1:0-1", "65535-65536:1-2"})
    EXPECT_THROW(parse_ports(bad), Error) << bad;
}

TEST(Port, isTakenBackAsItIsPrinted) {
  for (const char* text : {"own:8080:80", "127.0.0.1:8080:80/udp"}) {
    EXPECT_EQ(text, parsed(text));
    EXPECT_EQ(parse_ports(text), std::vector{parse_port(text)});
  }
  // The form of a port in rows and messages of a build before.
  EXPECT_EQ((Port{"tcp", "", 8080, 80}), parse_port("8080:80"));
}

TEST(Port, runsFollowOneAnother) {
  auto told = [](std::string_view text) {
    std::string out;
    for (const PortRun& r : runs_of(parse_ports(text))) out += to_text(r) + "; ";
    return out;
  };
  EXPECT_EQ("127.0.0.1:8080 -> 80; own:8080 -> 80; ", told("8080:80"));
  EXPECT_EQ("127.0.0.1:1-3 -> 11-13/udp; own:1-3 -> 11-13/udp; ", told("1-3:11-13/udp"));
  std::vector<Port> apart{{"tcp", "", 1, 1}, {"tcp", "", 2, 3}, {"udp", "", 3, 4}};
  EXPECT_EQ(3u, runs_of(apart).size());
}
