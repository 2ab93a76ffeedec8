// banger-ssh: commands and shells in VMs.
#include <array>

#include "cli/verb.h"
#include "state/state.h"
#include "verbs.h"

using namespace banger;

namespace {

std::vector<std::string> names(cli::Complete what, const Dirs& dirs) {
  std::vector<std::string> found;
  if (what != cli::Complete::vms) return found;
  for (const Vm& vm : state::State::open(dirs, state::Mode::read).vms()) found.push_back(vm.name);
  return found;
}

} // namespace

int main(int argc, char** argv) {
  const std::array<cli::VerbEntry, 2> verbs{
      {{.name = "",
        .summary = "run a command or a shell in a VM",
        .manual =
            "Without CMD it opens a shell on the terminal, with OpenSSH's client. With CMD it "
            "runs that in the guest: standard input, output and error are passed through "
            "byte for byte, and the guest's exit status becomes this one's (128+n where signal "
            "n ended the command). For every failure of banger's own the status is 255, and the "
            "error tells which.\n\n"
            "One word is given to the guest's shell as it is, so that it can be a script; "
            "several words are quoted, so that the command gets its arguments as they are "
            "written here:\n\n"
            "    banger ssh demo -- 'cd /etc && ls | wc -l'\n"
            "    banger ssh demo -- grep 'two words' '/tmp/a file'\n\n"
            "The guest is authenticated by the host key that banger gave it; there is no trust "
            "on first use.",
        .examples = {{"banger ssh demo", "a shell"},
                     {"banger ssh demo -- uname -a", "one command"},
                     {"tar c src | banger ssh demo -- tar x -C /root", "a pipe into the guest"},
                     {"banger ssh -t demo -- top", "a command that wants a terminal"}},
        .objects = {},
        .make = make_connect,
        .relays_status = true},
       {.name = "config",
        .summary = "print an ssh_config for all VMs",
        .manual = "For OpenSSH's client and all that is built on it (scp, rsync, editors). With "
                  "--install it is written to the state's directory, where it is kept up to date "
                  "from then on, and the line that includes it is printed.",
        .examples = {{"ssh -F <(banger ssh config) demo.vm", "use it once"},
                     {"banger ssh config --install",
                      "write it once and show the line for ~/.ssh/config"}},
        .objects = {"vm"},
        .make = make_config}}};
  const cli::Tool tool{"banger-ssh", "run commands and shells in VMs", "", verbs, names};
  return cli::run_tool(tool, argc, argv);
}
