#include "core/error.h"
#include "core/text.h"
#include "core/units.h"
#include "net/helpers.h"
#include "sys/confine.h"
#include "sys/namespace.h"
#include "sys/process.h"

namespace banger::net {

namespace {

std::optional<sys::Use> use_of(std::string_view option) {
  if (option == "--read") return sys::Use::read;
  if (option == "--write") return sys::Use::write;
  if (option == "--device") return sys::Use::device;
  if (option == "--directory") return sys::Use::directory;
  return {};
}

} // namespace

void enter_network(const std::vector<std::string>& words) {
  int net = -1, user = -1;
  std::string confined;
  std::vector<sys::Reach> reaches;
  size_t at = 0;
  for (; at + 1 < words.size() && words[at] != "--"; at += 2) {
    const std::string &option = words[at], &value = words[at + 1];
    if (auto use = use_of(option))
      reaches.push_back({value, *use});
    else if (option == "--confine")
      confined = value;
    else if (option == "--net" || option == "--user")
      (option == "--net" ? net : user) =
          static_cast<int>(parse_number("descriptor", value, 3, 1 << 20));
    else
      throw usage("unknown option '{}'", option);
  }
  if (at + 1 >= words.size() || words[at] != "--")
    throw usage("unknown request '{}'", join(words, " "));
  if (net >= 0) sys::enter(net, user);
  if (!confined.empty()) sys::confine(reaches, confined == "tcp");
  std::vector<std::string> program(words.begin() + static_cast<std::ptrdiff_t>(at) + 1,
                                   words.end());
  sys::exec({program, {}, {}, false}, sys::Keep::inherited); // what the monitor named
}

} // namespace banger::net
