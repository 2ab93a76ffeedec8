// libexec/banger/banger-enter: enters a network namespace and becomes a VMM (net/helpers.h).
//
// Started by monitors; not for people.
#include <cstdio>

#include "core/error.h"
#include "net/helpers.h"

int main(int argc, char** argv) {
  using namespace banger;
  try {
    net::enter_network(std::vector<std::string>(argv + (argc > 0), argv + argc));
  } catch (const Error& e) {
    std::fprintf(stderr, "banger-enter: %s\n", e.what());
    return exit_status(e.code());
  } catch (const std::exception& e) {
    std::fprintf(stderr, "banger-enter: %s\n", e.what());
    return 1;
  }
}
