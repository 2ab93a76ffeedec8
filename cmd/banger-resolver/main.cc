// libexec/banger/banger-resolver SUBNET: answers the private network's guests their questions for
// names (ops/dns/guests.h).
//
// Programs of banger start it, with a request on standard input. SUBNET is only there for ps.
#include <cstdio>
#include <exception>
#include <string_view>

#include "ops/dns/guests.h"

int main(int argc, char** argv) {
  using namespace banger;
  if (argc != 2 || argv[1][0] == '-') {
    std::fputs("banger-resolver is started by banger-place; see banger vm start --help\n", stderr);
    return argc == 2 && std::string_view(argv[1]) == "--help" ? 0 : 2;
  }
  try {
    ops::serve_guests(Fd(0), Fd(ops::resolver_udp_fd), Fd(ops::resolver_tcp_fd));
    return 0;
  } catch (const std::exception& e) {
    // Goes to the network's log.
    std::fprintf(stderr, "banger-resolver: %s\n", e.what());
    return 1;
  }
}
