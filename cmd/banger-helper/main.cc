// libexec/banger/banger-helper: what banger does with root's rights (net/helper.h).
//
// Started by banger's programs, by root or through sudo; not for people.
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <unistd.h>

#include "core/error.h"
#include "net/helper.h"

namespace {

// The user on whose behalf this works. sudo sets the variable itself, whatever was in it; who is
// root already may set it as he likes.
unsigned asking_user() {
  unsigned uid = ::getuid();
  const char* by_sudo = std::getenv("SUDO_UID");
  if (uid == 0 && by_sudo) std::from_chars(by_sudo, by_sudo + std::strlen(by_sudo), uid);
  return uid;
}

} // namespace

int main(int argc, char**) {
  using namespace banger;
  if (argc != 1) {
    std::fputs("banger-helper takes no arguments; see banger net up --help\n", stderr);
    return 2;
  }
  if (::geteuid() != 0) {
    std::fputs("banger-helper: it was not started with root's rights\n", stderr);
    return 1;
  }
  try {
    net::serve_helper(0, asking_user());
    return 0;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "banger-helper: %s\n", e.what());
    return 1;
  }
}
