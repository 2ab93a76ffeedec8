// libexec/banger/banger-netns: holds the network namespace of a state (net/helpers.h).
//
// Started by monitors; not for people.
#include <cstdio>

#include "core/error.h"
#include "net/helpers.h"

int main(int argc, char** argv) {
  using namespace banger;
  try {
    net::hold_network(std::vector<std::string>(argv + (argc > 0), argv + argc));
    return 0;
  } catch (const Error& e) {
    std::fprintf(stderr, "banger-netns: %s\n", e.what());
    return exit_status(e.code());
  } catch (const std::exception& e) {
    std::fprintf(stderr, "banger-netns: %s\n", e.what());
    return 1;
  }
}
