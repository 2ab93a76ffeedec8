// banger-vm: the life of VMs.
#include "banger-vm/verbs.h"
#include "model/settings.h"
#include "state/state.h"

namespace {

using namespace banger;

const cli::VerbEntry verbs[] = {
    {.name = "create",
     .summary = "make VMs without starting them",
     .manual =
         "Makes each NAME from an image: a record, a root disk of its own, an address. The root "
         "disk shares the image's blocks where the file system can (reflink). Elsewhere the image "
         "itself is the guest's disk, read-only and shared by all its VMs, and what a guest writes "
         "goes to a layer of its own (overlay), whose size --disk says. --root copy takes a whole "
         "copy. --root dm-snapshot has the host put the layer over the image (device-mapper), so "
         "that the guest has one plain disk; it takes root's rights, which a user has through "
         "banger's helper (see banger doctor), and is never chosen by itself.\n\n"
         "--work-disk adds a disk that stays when the root is made anew (banger vm reset) or comes "
         "from another image. When it is made it gets what the image has at that place.\n\n"
         "--publish 8080:80 makes the guest's port 80 reachable at 127.0.0.1:8080 and at the VM's "
         "own address; own:8080:80 at the latter alone, ADDR:8080:80 at that one; ranges are of "
         "the "
         "same length (see banger net publish). What one VM alone can have, a port of 127.0.0.1 or "
         "an address of --ip, is refused for several.\n\n"
         "Without --image it is the bundle's own image (see banger bundle build).",
     .examples = {{"banger vm create web --memory 1G --label job=42",
                   "a VM with 1 GiB and a label"}},
     .objects = {"result"},
     .make = tool::make_create},
    {.name = "run",
     .summary = "make a VM, start it and wait until it answers",
     .manual =
         "create and start in one, and with a command that too: its output and its status "
         "are those of banger vm run, and 255 says that banger itself failed. The VM goes on "
         "after it, also after ^C, which ends the command.\n\n"
         "With --rm it is a VM for this one run, which needs no NAME. It is ended without "
         "asking its guest, and removed, when the command is done, and at once when banger vm "
         "run dies before that, by whatever; without a command, or with --no-wait, it goes on "
         "until it ends by itself or by another command, and is removed then. Of one that does "
         "not come up the logs are kept for a week, those of 20 VMs at most, and the error says "
         "where.\n\n"
         "Under software emulation the guest has three times the --timeout to answer.\n\n"
         "A name that exists is a conflict (status 4).",
     .examples = {{"banger vm run demo -- uname -a", "boot a VM and run a command in it"},
                  {"banger vm run --rm ci -- make -C /src test", "the same, and nothing is left"}},
     .objects = {"result"},
     .make = tool::make_run,
     .relays_status = true},
    {.name = "start",
     .summary = "start VMs and wait until they answer",
     .manual =
         "A VM is running when a command was done in it over ssh. When that takes longer than "
         "the timeout (three times as long under software emulation), the status is 6, the "
         "error names the stage that was reached, and the VM goes on booting.\n\n"
         "One that runs is left as it is; one that is being started already is waited for.\n\n"
         "Its name resolves then: where no DNS daemon of this state is there, one is started in "
         "the background, and ends when no VM has run for a minute (dns.autostart; banger dns "
         "status).",
     .examples = {{"banger vm start web db", "start two VMs"}},
     .objects = {"result"},
     .make = tool::make_start},
    {.name = "restart",
     .summary = "stop VMs and start them again",
     .manual = "stop and start in one; the VM keeps its disks, address, name and keys. One that "
               "does not run is started. With --label or --all, those that run.",
     .examples = {{"banger vm restart --stop-timeout 30s db", "give it time to shut down"}},
     .objects = {"result"},
     .make = tool::make_restart},
    {.name = "stop",
     .summary = "stop VMs, gently first",
     .manual =
         "Asks the guest with Ctrl-Alt-Del, then with poweroff over ssh, then ends the VMM; each "
         "when the step before did not help in time. With --timeout the VMM is told to end when so "
         "much has passed in all, and killed 3 s later. Without, Ctrl-Alt-Del has the time of "
         "vm.stop_timeout and poweroff half of it, three times as long under software emulation. "
         "One that does not run is left as it is.",
     .examples = {{"banger vm list -q --label job=42 | banger vm stop -",
                   "stop what a job started"}},
     .objects = {"result"},
     .make = tool::make_stop},
    {.name = "kill",
     .summary = "end VMs at once, without asking the guest",
     .manual = "What the guest had not written to its disk is lost.",
     .examples = {{"banger vm kill web", "end a VM that hangs"}},
     .objects = {"result"},
     .make = tool::make_kill,
     .destroys = true},
    {.name = "pause",
     .summary = "have VMs stand still",
     .manual = "The processors of the guest stand still until banger vm resume; its memory stays "
               "where it "
               "is, and who is connected to it waits. banger vm stop lets it go on first.",
     .examples = {{"banger vm pause web", "its guest uses no processor"}},
     .objects = {"result"},
     .make = tool::make_pause},
    {.name = "resume",
     .summary = "let paused VMs go on",
     .manual = "The guest goes on where it stood, and its clock is set to the host's. A VM that is "
               "paused because a disk of the host is full goes on by itself. One that stands still "
               "because a snapshot of it is being made goes on, and there is no snapshot.",
     .examples = {{"banger vm resume --all", "let all that were paused go on"}},
     .objects = {"result"},
     .make = tool::make_resume},
    {.name = "snapshot create",
     .summary = "keep a VM's memory and disks as they are now",
     .manual =
         "The guest stands still until its memory is written and its disks are copied, and then "
         "goes on. Where the file system shares extents (reflink) a copy takes no time and no "
         "room. One that is paused on request stays so.\n\n"
         "Snapshots lie in the VM's directory, take room there, and go with the VM. They have all "
         "that was in its memory, keys and passwords too.",
     .examples = {{"banger vm snapshot create web before-upgrade", "so that one can go back"}},
     .objects = {"snapshot"},
     .make = tool::make_snapshot_create},
    {.name = "snapshot list",
     .summary = "list the snapshots of VMs",
     .manual = "By VM, the oldest first. USED is what it takes on the host's disk, what is shared "
               "counted whole.",
     .examples = {{"banger vm snapshot list web", "those of one VM"}},
     .objects = {"snapshot"},
     .make = tool::make_snapshot_list},
    {.name = "snapshot restore",
     .summary = "have a VM go on from a snapshot",
     .manual =
         "The VM, which must be stopped, runs again as it did then: its memory and its programs, "
         "its disks, the cpus and the memory that it had. What is on its disks now is lost, unless "
         "another snapshot has it; a restore that fails before the guest goes on leaves the VM as "
         "it "
         "was. Its clock is set to the host's; connections of then are cut.\n\n"
         "Its random numbers go on from the snapshot, too: what is restored twice may draw the "
         "same ones at first, until its kernel mixes in new ones, within a minute. Make no keys "
         "before.\n\n"
         "All of the snapshot is read and compared with what was saved before anything is changed. "
         "It needs the VMM, the acceleration and the network that it had then.",
     .examples = {{"banger vm kill web; banger vm snapshot restore web before-upgrade",
                   "back to where it was"}},
     .objects = {"result"},
     .make = tool::make_snapshot_restore,
     .destroys = true},
    {.name = "snapshot rm",
     .summary = "remove snapshots of a VM",
     .manual = "The VM may run, and go on.",
     .examples = {{"banger vm snapshot list -q web | banger vm snapshot rm web -", "all of a VM"}},
     .objects = {"result"},
     .make = tool::make_snapshot_rm,
     .destroys = true},
    {.name = "reset",
     .summary = "give VMs a fresh root disk",
     .manual =
         "The root disk is made anew from the VM's image, or from another with --image. Name, "
         "address, keys, published ports and the work disk stay. The VM must be stopped.",
     .examples = {{"banger vm reset web", "back to what the image has"},
                  {"banger vm reset web --image debian", "the same VM on another image"}},
     .objects = {"result"},
     .make = tool::make_reset,
     .destroys = true},
    {.name = "rm",
     .summary = "remove VMs with their disks",
     .manual = "Removes record, disks, snapshots, keys and logs. A VM that runs is refused without "
               "--force.",
     .examples = {{"banger vm rm --force web", "kill and remove a VM"}},
     .objects = {"result"},
     .make = tool::make_rm,
     .destroys = true},
    {.name = "set",
     .summary = "change cpus, memory, disks or labels of VMs",
     .manual = "Labels change on any VM, the rest on one that is stopped. Disks grow, their file "
               "systems at the next boot; a smaller size is refused, and then nothing is changed.",
     .examples = {{"banger vm set web --memory 2G --cpus 2", "more for its next start"},
                  {"banger vm set web --net user", "among the other VMs, no longer isolated"},
                  {"banger vm set --all --unlabel job", "take a label off all VMs"}},
     .objects = {"result"},
     .make = tool::make_set},
    {.name = "list",
     .summary = "list VMs",
     .manual = "With --json one object a line, a VM each.",
     .examples = {{"banger vm list --json --state running | jq -r .name", "names of running VMs"}},
     .objects = {"vm"},
     .make = tool::make_list},
    {.name = "show",
     .summary = "show everything about VMs",
     .manual = "State and why, disk, network, the last boot's timings by phase, and where the logs "
               "are. Of one "
               "that runs, whether its name resolves on this host.",
     .examples = {{"banger vm show --json web | jq .timings", "how long the last boot took"}},
     .objects = {"vm"},
     .make = tool::make_show},
    {.name = "stats",
     .summary = "show what VMs use of the host",
     .manual =
         "Of each VM that runs, or of those that are selected: cpu (100% is one cpu of the "
         "host) since the look before, or over a quarter of a second; memory of its VMM, with "
         "what is shared counted whole (rss) and divided (pss); what its guest says that its "
         "programs could still get (guest free), where it says so: it needs a balloon driver; "
         "the disk space it takes on the host; bytes on its network interface, where it has one "
         "of its own. With --json also what its VMM has counted of its guest (vmm): requests, "
         "bytes "
         "and errors of each disk; Firecracker tells its network and its exits, too.",
     .examples = {{"banger vm stats --watch", "look again every two seconds"},
                  {"banger vm stats --json --watch --interval 10s >> usage.jsonl",
                   "keep a record"}},
     .objects = {"stats"},
     .make = tool::make_stats},
    {.name = "logs",
     .summary = "print a VM's console, VMM or lifecycle log",
     .manual =
         "The console's log is what the guest wrote to its serial line; the last 4 MiB at least "
         "are kept. At a terminal its control characters are shown escaped.\n\n"
         "With --follow it goes on until the VM has ended; of one that does not run it prints what "
         "there is. With --json each line is an object.",
     .examples = {{"banger vm logs -n 20 web", "the end of the console"},
                  {"banger vm logs -f --log lifecycle web", "what happens to it, as it happens"}},
     .objects = {"log"},
     .make = tool::make_logs},
    {.name = "console",
     .summary = "attach to a VM's serial line",
     .manual =
         "Shows the last lines that the guest wrote to its serial line, then what comes, as it is; "
         "what is typed goes to the guest. Ctrl-] leaves; the VM goes on. It ends with the VM.\n\n"
         "Any number may be attached at once, and the console's log goes on. Standard input may be "
         "a pipe: when it has ended, the console is still shown.",
     .examples = {{"banger vm console web", "a terminal on the serial line"},
                  {"echo reboot | banger vm console web", "type a line"}},
     .objects = {},
     .make = tool::make_console},
    {.name = "wait",
     .summary = "wait until VMs are running or stopped",
     .manual =
         "Waits for each of the VMs, which somebody else starts or stops, and says so as soon as "
         "it is so. A VM is running (or ready) when a command was done in it over ssh; stopped is "
         "whatever does not run any more.\n\n"
         "The status is 6 when the timeout passed, and 1, at once, for a VM that is to be running "
         "and has failed: the error says why.",
     .examples = {{"banger vm start --no-wait a b; banger vm wait --timeout 2m a b",
                   "start two, wait for both"},
                  {"banger vm wait --for stopped ci", "until a job's VM has powered off"}},
     .objects = {"result"},
     .make = tool::make_wait},
    {.name = "events",
     .summary = "print what happened to VMs",
     .manual = "Oldest first: the last 10,000 events are kept. With --follow it goes on with what "
               "comes, each event once and in order, until it is ended or nobody reads it.",
     .examples = {{"banger vm events -n 20 web", "the last of one VM"},
                  {"banger vm events --follow -n 0 --json | jq -r .type", "from now on"}},
     .objects = {"event"},
     .make = tool::make_events},
    {.name = "preflight",
     .summary = "check what making and starting a VM needs",
     .manual = "Everything is looked at and told at once, each thing that is missing with the "
               "command that mends it. Nothing is made or started. With a NAME, for a start of "
               "that VM; without, for a new one of --memory.\n\n"
               "A check is ok, warn (it works all the same) or missing; the status is 5 if "
               "anything is missing.",
     .examples = {{"banger vm preflight web", "could web be started?"},
                  {"banger vm preflight --memory 4G", "is there room for another?"}},
     .objects = {"check"},
     .make = tool::make_preflight},
    {.name = "reconcile",
     .summary = "clean up after commands and VMs that died",
     .manual =
         "Every command that changes something does this first; this one tells what it found "
         "and did, VM by VM. A VM whose monitor died gets a new one. One whose VMM died gives "
         "back what it had, and has failed. What was interrupted is finished or undone. People are "
         "told how much earlier runs left that is no VM's; banger doctor --leaks shows that.",
     .examples = {{"banger vm reconcile", "after a crash or a reboot of the host"}},
     .objects = {"reconciled"},
     .make = tool::make_reconcile},
    {.name = "failpoints",
     .summary = "list the places at which a test can make banger fail",
     .manual = "",
     .examples = {},
     .objects = {},
     .make = tool::make_failpoints,
     .relays_status = false,
     .hidden = true},
};

std::vector<std::string> names(cli::Complete what, const Dirs& dirs) {
  auto db = state::State::open(dirs, state::Mode::read);
  std::vector<std::string> out;
  if (what == cli::Complete::vms) out = db.vm_names();
  if (what == cli::Complete::images)
    for (const Image& i : db.images()) out.push_back(i.name);
  return out;
}

std::vector<std::string> names_of(cli::Complete, const Dirs& dirs, const std::string& vm) {
  auto db = state::State::open(dirs, state::Mode::read);
  std::vector<std::string> out;
  for (const Snapshot& s : db.snapshots(db.get_vm(vm).id)) out.push_back(s.name);
  return out;
}

const cli::Tool program{
    "banger-vm",
    "run and manage microVMs",
    "A VM is a real machine with a name: its own kernel, its own disk that survives "
    "stop and start, ssh that just works.",
    verbs,
    names,
    names_of};

} // namespace

int main(int argc, char** argv) { return cli::run_tool(program, argc, argv); }
