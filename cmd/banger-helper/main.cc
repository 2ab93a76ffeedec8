// libexec/banger/banger-helper: what banger does with root's rights (helper/serve.h).
//
// Started by banger's programs, by root, through sudo, or with capabilities of its own; not for
// people.
#include <cstdio>
#include <exception>

#include "helper/serve.h"

int main(int argc, char**) {
  if (argc != 1) {
    std::fputs("banger-helper takes no arguments; see banger net up --help\n", stderr);
    return 2;
  }
  try {
    banger::helper::serve(0);
    return 0;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "banger-helper: %s\n", e.what());
    return 1;
  }
}
