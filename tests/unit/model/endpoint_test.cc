// An address and a port, as text.
#include <gtest/gtest.h>

#include "core/error.h"
#include "model/endpoint.h"

namespace banger {

TEST(Endpoint, TextAndBack) {
  Endpoint e = parse_endpoint("dns.listen", "127.0.0.53:5300");
  EXPECT_EQ(e.address, parse_address("address", "127.0.0.53"));
  EXPECT_EQ(e.port, 5300);
  EXPECT_EQ(to_text(e), "127.0.0.53:5300");
}

TEST(Endpoint, WhatIsNone) {
  for (const char* text :
       {"", ":", "127.0.0.1", "127.0.0.1:", ":53", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:x",
        "127.0.0.256:53", "localhost:53", "[::1]:53", "127.0.0.1:53:53"})
    EXPECT_THROW(parse_endpoint("dns.listen", text), Error) << text;
  try {
    parse_endpoint("dns.listen", "127.0.0.1");
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::usage);
    EXPECT_EQ(e.message(), "invalid dns.listen '127.0.0.1': no port");
  }
}

} // namespace banger
