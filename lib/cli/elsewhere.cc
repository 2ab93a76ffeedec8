#include "cli/elsewhere.h"

#include <algorithm>
#include <span>

#include "core/text.h"

namespace banger::cli {

namespace {

struct Word {
  std::string_view words; // separated by blanks
  std::string_view hint;
};

constexpr std::string_view make =
    "'banger vm run NAME' makes a VM and starts it, 'banger vm create NAME' only makes it";
constexpr std::string_view run_in =
    "'banger ssh NAME' is a shell in a VM, 'banger ssh NAME -- CMD' runs a command in it";
constexpr std::string_view copy = "'banger ssh cp' copies files and trees to and from VMs";
constexpr std::string_view list_images = "'banger image list' lists the images";
constexpr std::string_view bring_image = "'banger image import NAME SOURCE' makes an image";
constexpr std::string_view remove =
    "'banger vm rm NAME' removes a VM with its disks; they cannot be brought back";
constexpr std::string_view remove_image = "'banger image rm NAME' removes an image that no VM uses";
constexpr std::string_view publish =
    "'banger net publish NAME HOST:GUEST' publishes a port of a VM";
constexpr std::string_view network =
    "the VMs of a state share a network, which comes with the first and goes with the last; "
    "'banger net status' shows it";
constexpr std::string_view no_pause =
    "VMs cannot be paused or saved yet; 'banger vm stop NAME' keeps the disks";
constexpr std::string_view no_copy =
    "VMs cannot be copied yet; 'banger image import' makes an image of a disk, for new ones";

// At `banger vm` first, elsewhere last.
constexpr Word of_vms[] = {
    {"ps ls dir vms instances machines containers list-units",
     "'banger vm list' lists the VMs, those that do not run too"},
    {"images", list_images},
    {"new launch init define up clone-image", make},
    {"exec shell ssh enter login bash sh", run_in},
    {"attach tty serial", "'banger vm console NAME' is the serial line of a VM"},
    {"reboot reload try-restart", "'banger vm restart NAME' stops a VM and starts it again"},
    {"shutdown halt poweroff down off", "'banger vm stop NAME' stops a VM; its disks stay"},
    {"delete del remove undefine purge rmi uninstall", remove},
    {"destroy",
     "'banger vm kill NAME' ends a VM at once, and its disks stay; 'banger vm rm NAME' removes it "
     "with its disks, which cannot be brought back"},
    {"info inspect status describe dominfo domstate cat get is-active state",
     "'banger vm show NAME' shows all about a VM"},
    {"log journal", "'banger vm logs NAME' prints what a VM's console said"},
    {"top usage", "'banger vm stats --watch' shows what VMs use"},
    {"cp scp copy transfer copy-files push-file", copy},
    {"rsync sync mount", "'banger ssh sync' makes a directory in a VM like one here"},
    {"port ports expose", publish},
    {"forward tunnel", "'banger ssh forward' offers ports of a VM on this machine"},
    {"rename mv move", "a VM keeps its name; " // what it is known by everywhere
                       "'banger vm create' makes one with another"},
    {"edit update modify resize setvcpus setmem scale configure",
     "'banger vm set NAME' changes cpus, memory, disks and labels of a VM that is stopped"},
    {"pause unpause suspend resume freeze thaw save restore snapshot checkpoint stash", no_pause},
    {"clone fork copy-vm commit branch checkout export", no_copy},
    {"pull import load fetch", bring_image},
    {"build",
     "'banger bundle build' makes what VMs boot from; 'banger image import' makes an image "
     "of what there is"},
    {"enable disable",
     "VMs are not started with the host; 'banger vm start' in a unit of yours does"},
    {"df du", "'banger vm show NAME' tells what its disks take"},
    {"diff", "'banger vm show NAME' shows all about a VM"},
    {"recover undelete", "a VM that was removed cannot be brought back"},
};

// At `banger` first, elsewhere behind a place's own; a tool's verbs are found before.
constexpr Word of_banger[] = {
    {"list", "'banger vm list' lists the VMs, 'banger image list' the images"},
    {"create", make},
    {"run", "'banger vm run NAME -- CMD' makes a VM, starts it, and runs a command in it"},
    {"start", "'banger vm start NAME' starts a VM"},
    {"stop", "'banger vm stop NAME' stops a VM; its disks stay"},
    {"restart", "'banger vm restart NAME' stops a VM and starts it again"},
    {"kill", "'banger vm kill NAME' ends a VM at once; its disks stay"},
    {"rm", remove},
    {"show", "'banger vm show NAME' shows all about a VM"},
    {"logs", "'banger vm logs NAME' prints what a VM's console said"},
    {"stats", "'banger vm stats' shows what VMs use"},
    {"console", "'banger vm console NAME' is the serial line of a VM"},
    {"events", "'banger vm events' prints what happened to VMs"},
    {"wait", "'banger vm wait NAME' waits until a VM runs, or has stopped"},
    {"set", "'banger vm set NAME' changes a VM that is stopped"},
    {"reset",
     "'banger vm reset NAME' gives a VM a fresh root disk; what is on the old one is lost"},
    {"reconcile", "'banger vm reconcile' cleans up after commands and VMs that died"},
    {"preflight check", "'banger doctor' checks this machine"},
    {"prune gc",
     "'banger image prune' removes images that no VM uses; 'banger doctor --leaks' finds "
     "what was left over"},
    {"publish", publish},
    {"network networks", network},
    {"config settings", "'man banger-config' lists the settings"},
    {"pull build-image image-build", bring_image},
    {"man --man", "'banger help' lists the commands"},
};

constexpr Word of_images[] = {
    {"ls ps images dir", list_images},
    {"pull add load fetch download create new build clone commit tag", bring_image},
    {"delete del remove rmi destroy purge undefine uninstall", remove_image},
    {"gc clean cleanup", "'banger image prune' removes all images that no VM uses"},
    {"info inspect status describe history cat get",
     "'banger image show NAME' shows all about one"},
    {"save export push", "images cannot be exported yet; 'banger image show NAME' tells where the "
                         "file is"},
    {"rename mv edit", "an image is never changed; 'banger image import' makes another"},
    {"run start", make},
};

constexpr Word of_net[] = {
    {"ls ps list show info inspect status-all leases arp", "'banger net status' shows the network"},
    {"port ports expose forward add map", publish},
    {"unpublish close delete del rm remove",
     "'banger net publish NAME PORT --remove' ends a published port"},
    {"create new up down start stop restart destroy undefine connect disconnect attach detach "
     "prune nat edit enable disable",
     network},
};

struct Flag {
  std::string_view flags;
  std::string_view needs; // an option that the verb must take, or it is no hint
  std::string_view hint;
};

constexpr Flag of_options[] = {
    {"--mem --ram -m -M --memory-size", "--memory", "memory is given as --memory 1G"},
    {"--cpu --vcpus --vcpu -c --cores --smp", "--cpus", "processors are given as --cpus N"},
    {"--port --ports --expose -P --publish-all", "--publish",
     "a port is published as --publish HOST:GUEST, or -p HOST:GUEST"},
    {"--disk-size --size --storage --root-disk", "--disk",
     "the root disk's size is given as --disk 20G"},
    {"-v --volume --volumes --mount --bind", "--work-disk",
     "directories of the host are not mounted; --work-disk SIZE adds a disk, and 'banger ssh cp' "
     "and 'banger ssh sync' bring files"},
    {"--network", "--net", "the network is given as --net user, or --net isolated"},
    {"-l --tag", "--label", "a label is given as --label KEY=VALUE"},
    {"--name -n --hostname -h", "--publish", "a VM's name is given without an option: NAME"},
    {"-d --detach --daemon --background -b", "--rm",
     "a VM goes on by itself when the command has ended; --no-wait does not wait until it answers"},
    {"-it -ti -i --interactive -t --tty", "--rm",
     "'banger ssh NAME' is a shell in a VM that runs; a command stands behind '--'"},
    {"-it -ti -i --interactive", "--tty", "--tty gives a command a terminal; a shell has one"},
    {"-e --env --environment --env-file", "",
     "variables are given to the command: -- env NAME=VALUE CMD"},
    {"-u --user --login", "", "commands run as root; as somebody else: -- su - USER -c CMD"},
    {"-w --workdir --cwd", "", "a directory is given to the command: -- sh -c 'cd DIR && CMD'"},
    {"-f", "--follow", "it goes on with --follow"},
    {"--tail --since --last", "--lines", "the last lines are given as --lines N"},
    {"-a", "", "all VMs are listed without an option; elsewhere --all takes all"},
    {"--format --output -o", "", "--json prints one object a line, -q bare names"},
    {"-y --yes --assume-yes", "", "nothing is asked; leave it out"},
    {"--recursive -R", "-r", "a tree is copied with -r"},
    {"--help-all -?", "", "--help tells all"},
};

bool is_one_of(std::string_view words, std::string_view word) {
  auto all = split(words, ' ');
  return std::ranges::find(all, word) != all.end();
}

std::optional<std::string> find(std::span<const Word> table, std::string_view word) {
  for (const Word& w : table)
    if (is_one_of(w.words, word)) return std::string(w.hint);
  return std::nullopt;
}

} // namespace

std::optional<std::string> verb_from_elsewhere(std::string_view place, std::string_view word) {
  if (word.empty()) return std::nullopt;
  // What is no word of a place may be one of VMs all the same.
  std::span<const Word> own = of_banger;
  if (place == "banger vm")
    own = of_vms;
  else if (place == "banger image")
    own = of_images;
  else if (place == "banger net")
    own = of_net;
  else if (place != "banger")
    return std::nullopt;
  for (std::span<const Word> table :
       {own, std::span<const Word>(of_banger), std::span<const Word>(of_vms)})
    if (auto hint = find(table, word)) return hint;
  return std::nullopt;
}

std::optional<std::string> option_from_elsewhere(std::string_view flag,
                                                 const std::function<bool(std::string_view)>& has) {
  for (const Flag& f : of_options)
    if (is_one_of(f.flags, flag) && (f.needs.empty() || has(f.needs))) return std::string(f.hint);
  return std::nullopt;
}

} // namespace banger::cli
