#include "core/error.h"
#include "core/text.h"
#include "core/units.h"
#include "net/helpers.h"
#include "sys/namespace.h"
#include "sys/process.h"

namespace banger::net {

void enter_network(const std::vector<std::string>& words) {
  int net = -1, user = -1;
  size_t at = 0;
  for (; at + 1 < words.size() && words[at] != "--"; at += 2) {
    int* which = words[at] == "--net" ? &net : words[at] == "--user" ? &user : nullptr;
    if (!which) throw usage("unknown option '{}'", words[at]);
    *which = static_cast<int>(parse_number("descriptor", words[at + 1], 3, 1 << 20));
  }
  if (net < 0 || at + 1 >= words.size() || words[at] != "--")
    throw usage("unknown request '{}'", join(words, " "));
  sys::enter(net, user);
  std::vector<std::string> program(words.begin() + static_cast<std::ptrdiff_t>(at) + 1,
                                   words.end());
  sys::exec({program, {}, {}, false}, sys::Keep::inherited); // what the monitor named
}

} // namespace banger::net
