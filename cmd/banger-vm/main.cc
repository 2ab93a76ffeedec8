// banger-vm: the life of VMs.
#include "banger-vm/verbs.h"
#include "model/settings.h"
#include "state/state.h"

namespace {

using namespace banger;

const cli::VerbEntry verbs[] = {
    {.name = "create",
     .summary = "make VMs without starting them",
     .manual = "Makes each NAME from an image: a record, a root disk of its own, an address. The "
               "disk shares the image's blocks where the file system can.\n\n"
               "Without --image it is the bundle's own image (see banger bundle build).",
     .examples = {{"banger vm create web --memory 1G --label job=42",
                   "a VM with 1 GiB and a label"}},
     .objects = {"result"},
     .make = vm::make_create},
    {.name = "run",
     .summary = "make a VM, start it and wait until it answers",
     .manual = "create and start in one, and with a command that too: its output and its status "
               "are those of banger vm run, and 255 says that banger itself failed.\n\n"
               "A name that exists is a conflict (status 4).",
     .examples = {{"banger vm run demo -- uname -a", "boot a VM and run a command in it"},
                  {"banger vm run --rm ci -- make -C /src test", "the same, and nothing is left"}},
     .objects = {"result"},
     .make = vm::make_run,
     .relays_status = true},
    {.name = "start",
     .summary = "start VMs and wait until they answer",
     .manual =
         "A VM is running when a command was done in it over ssh. When that takes longer than "
         "the timeout (three times as long under software emulation), the status is 6, the "
         "error names the stage that was reached, and the VM goes on booting.",
     .examples = {{"banger vm start web db", "start two VMs"}},
     .objects = {"result"},
     .make = vm::make_start},
    {.name = "stop",
     .summary = "stop VMs, gently first",
     .manual =
         "Asks the guest with Ctrl-Alt-Del, then with poweroff over ssh, then ends the VMM; each "
         "when the step before did not help in time.",
     .examples = {{"banger vm list -q --label job=42 | banger vm stop -",
                   "stop what a job started"}},
     .objects = {"result"},
     .make = vm::make_stop},
    {.name = "kill",
     .summary = "end VMs at once, without asking the guest",
     .manual = "What the guest had not written to its disk is lost.",
     .examples = {{"banger vm kill web", "end a VM that hangs"}},
     .objects = {"result"},
     .make = vm::make_kill},
    {.name = "rm",
     .summary = "remove VMs with their disks",
     .manual = "Removes record, disk, keys and logs. A VM that runs is refused without --force.",
     .examples = {{"banger vm rm --force web", "kill and remove a VM"}},
     .objects = {"result"},
     .make = vm::make_rm},
    {.name = "list",
     .summary = "list VMs",
     .manual = "With --json one object a line, a VM each.",
     .examples = {{"banger vm list --json --state running | jq -r .name", "names of running VMs"}},
     .objects = {"vm"},
     .make = vm::make_list},
    {.name = "show",
     .summary = "show everything about VMs",
     .manual =
         "State and why, disk, network, the last boot's timings by phase, and where the logs are.",
     .examples = {{"banger vm show --json web | jq .timings", "how long the last boot took"}},
     .objects = {"vm"},
     .make = vm::make_show},
    {.name = "logs",
     .summary = "print a VM's console, VMM or lifecycle log",
     .manual =
         "The console's log is what the guest wrote to its serial line; the last 4 MiB at least "
         "are kept. At a terminal its control characters are shown escaped.",
     .examples = {{"banger vm logs -n 20 web", "the end of the console"}},
     .objects = {},
     .make = vm::make_logs},
    {.name = "failpoints",
     .summary = "list the places at which a test can make banger fail",
     .manual = "",
     .examples = {},
     .objects = {},
     .make = vm::make_failpoints,
     .relays_status = false,
     .hidden = true},
};

std::vector<std::string> names(cli::Complete what, const Dirs& dirs) {
  auto db = state::State::open(dirs, state::Mode::read);
  std::vector<std::string> out;
  if (what == cli::Complete::vms)
    for (const Vm& v : db.vms()) out.push_back(v.name);
  if (what == cli::Complete::images)
    for (const Image& i : db.images()) out.push_back(i.name);
  return out;
}

const cli::Tool tool{
    "banger-vm", "run and manage microVMs",
    "A VM is a real machine with a name: its own kernel, its own disk that survives "
    "stop and start, ssh that just works.",
    verbs, names};

} // namespace

int main(int argc, char** argv) { return cli::run_tool(tool, argc, argv); }
