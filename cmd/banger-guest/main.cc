// banger-guest: speaks ssh with guests and makes keys, for banger's own programs.
#include <string>
#include <vector>

#include "cli/app.h"
#include "cli/guard.h"
#include "core/text.h"
#include "core/version.h"
#include "guest/service/service.h"

using namespace banger;

namespace {

constexpr std::string_view help = R"(Usage: banger-guest VERB

Speaks ssh with guests and makes keys, for the other programs of banger; people use
'banger ssh'. Requests are one JSON line on standard input, replies JSON lines on standard
output, each with "v":1.

Verbs:
  keygen --state-keys DIR  make the state's key in DIR if there is none: identity, public
  await                    asked for one ("want":"host_key") make a host key: openssh_private,
                           public, dropbear_private (base64); then wait until a guest is ready:
                           address, port, user, identity, host_key, seconds; replies stage,
                           seconds, detail on each change
  run                      run a command there: the same and command; replies status, output
  clock                    set its clock to this machine's: the same as await; replies as run

Exit status: 0 done, 1 failed, 2 usage, 6 not ready at the deadline. A failure is a line
{"v":1,"error":{"code","message","hint"}}.
)";

int dispatch(const std::vector<std::string>& words, cli::Output& out) {
  guest::GuestService service;
  std::string verb = words.empty() ? "" : words[0];
  for (const auto& word : words) {
    if (word == "--help" || word == "-h") return out.bytes(help), 0;
    if (word == "--version") return out.line(fmt::format("banger-guest {}", version())), 0;
  }
  if (verb == "keygen" && words.size() == 3 && words[1] == "--state-keys")
    return service.keygen(words[2]);
  if (words.size() == 1) {
    if (verb == "await") return service.await();
    if (verb == "run") return service.run();
    if (verb == "clock") return service.clock();
  }
  throw usage("unknown request '{}'", join(words, " ")).hint("see 'banger-guest --help'");
}

} // namespace

int main(int argc, char** argv) {
  cli::fill_closed_stdio();
  std::vector<std::string> words(argv + (argc > 0 ? 1 : 0), argv + argc);
  cli::Output out;
  return cli::guarded("banger-guest", false, out, [&] { return dispatch(words, out); });
}
