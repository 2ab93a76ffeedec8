// libexec/banger/banger-place: a VM's part in the private network (ops/monitor/place.h).
//
// Started by banger-monitor with its request on standard input; not for people. The word is there
// for ps.
#include <cstdio>
#include <exception>
#include <string_view>

#include "ops/monitor/place.h"

int main(int argc, char** argv) {
  if (argc != 2 || argv[1][0] == '-') {
    std::fputs("banger-place is started by banger-monitor; see banger vm start --help\n", stderr);
    return argc == 2 && std::string_view(argv[1]) == "--help" ? 0 : 2;
  }
  try {
    return banger::ops::serve_place(0, 1);
  } catch (const std::exception& e) {
    // Goes to the VM's VMM log, whose path errors of `start` name.
    std::fprintf(stderr, "banger-place: %s\n", e.what());
    return 1;
  }
}
