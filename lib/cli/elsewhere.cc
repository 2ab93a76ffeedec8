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
constexpr std::string_view addresses = "'banger net status' tells who has which address and port";
constexpr std::string_view no_export =
    "images cannot be exported yet; 'banger image show NAME' tells where the file is";
constexpr std::string_view no_autostart =
    "VMs are not started with the host; 'banger vm start' in a unit of yours does";
constexpr std::string_view no_mount =
    "directories of the host are not mounted; 'banger ssh sync' makes a directory in a VM like one "
    "here";
constexpr std::string_view stand_still = "'banger vm pause NAME' has a VM stand still";
constexpr std::string_view go_on = "'banger vm resume NAME' lets a paused VM go on";
constexpr std::string_view save =
    "'banger vm snapshot create NAME' keeps a VM's memory and disks as "
    "they are now, 'banger vm snapshot restore' goes back to them";
constexpr std::string_view no_copy =
    "VMs cannot be copied yet; 'banger image import' makes an image of a disk, for new ones";

// At `banger vm` first, elsewhere last.
constexpr Word of_vms[] = {
    {"ps ls dir vms instances list-units global-status",
     "'banger vm list' lists the VMs, those that do not run too"},
    {"images find search", list_images},
    {"rmi", remove_image},
    {"new launch init define up clone-image add quickstart", make},
    {"exec shell ssh enter login bash sh connect provision", run_in},
    {"attach tty serial vncdisplay domdisplay viewer",
     "'banger vm console NAME' is the serial line of a VM"},
    {"reboot reload try-restart", "'banger vm restart NAME' stops a VM and starts it again"},
    {"shutdown halt poweroff down off", "'banger vm stop NAME' stops a VM; its disks stay"},
    {"delete del remove undefine purge uninstall", remove},
    {"destroy",
     "'banger vm kill NAME' ends a VM at once, and its disks stay; 'banger vm rm NAME' removes it "
     "with its disks, which cannot be brought back"},
    {"info inspect status describe dominfo domstate dumpxml domblklist cat get is-active state "
     "healthcheck",
     "'banger vm show NAME' shows all about a VM"},
    {"log journal journalctl", "'banger vm logs NAME' prints what a VM's console said"},
    {"top usage domstats cpu-stats", "'banger vm stats --watch' shows what VMs use"},
    {"cp scp copy transfer copy-files push-file upload", copy},
    {"rsync sync", "'banger ssh sync' makes a directory in a VM like one here"},
    {"mount umount unmount volume volumes", no_mount},
    {"port ports expose", publish},
    {"forward tunnel", "'banger ssh forward' offers ports of a VM on this machine"},
    {"ip ips domifaddr net-dhcp-leases addresses", addresses},
    {"rename mv move domrename", "a VM keeps its name; " // what it is known by everywhere
                                 "'banger vm create' makes one with another"},
    {"edit update modify resize setvcpus setmem scale configure tag label disk attach-disk "
     "detach-disk",
     "'banger vm set NAME' changes cpus, memory, disks and labels of a VM that is stopped"},
    {"suspend freeze hibernate", stand_still},
    {"unpause thaw continue cont wake unfreeze", go_on},
    {"save restore revert rollback snapshot snapshots checkpoint stash managedsave snapshot-create "
     "snapshot-create-as snapshot-list snapshot-revert snapshot-delete list-snapshots",
     save},
    {"clone fork copy-vm commit branch checkout switch export migrate", no_copy},
    {"push", no_export},
    {"pull import load fetch", bring_image},
    {"build",
     "'banger bundle build' makes what VMs boot from; 'banger image import' makes an image "
     "of what there is"},
    {"enable disable autostart mask unmask is-enabled", no_autostart},
    {"compose stack swarm service pod kube play",
     "no file describes several VMs; 'banger vm create --count N NAME' makes N of a kind, and "
     "'banger vm run NAME' one"},
    {"pool-list vol-list vol-create pool-define",
     "'banger image list' lists the images; 'banger vm show NAME' tells where the disks of a VM "
     "are"},
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
    {"pause", stand_still},
    {"resume", go_on},
    {"rm", remove},
    {"show", "'banger vm show NAME' shows all about a VM"},
    {"logs", "'banger vm logs NAME' prints what a VM's console said"},
    {"stats", "'banger vm stats' shows what VMs use"},
    {"console", "'banger vm console NAME' is the serial line of a VM"},
    {"events history", "'banger vm events' prints what happened to VMs"},
    {"wait wait-for wait-ready", "'banger vm wait NAME' waits until a VM runs, or has stopped"},
    {"set", "'banger vm set NAME' changes a VM that is stopped"},
    {"reset factory-reset",
     "'banger vm reset NAME' gives a VM a fresh root disk; what is on the old one is lost"},
    {"reconcile", "'banger vm reconcile' cleans up after commands and VMs that died"},
    {"preflight check validate system", "'banger doctor' checks this machine"},
    {"prune gc clean cleanup",
     "'banger image prune' removes images that no VM uses; 'banger doctor --leaks' finds "
     "what was left over"},
    {"publish", publish},
    {"network networks net-list net-start net-define net-destroy net-create net-info", network},
    {"machine machines container containers domain box",
     "'banger vm' makes, runs and manages VMs; 'banger help vm' lists its commands"},
    {"ssh-config show-ssh", "'banger ssh config' prints what OpenSSH's client needs"},
    {"config settings", "'man banger-config' lists the settings"},
    {"pull build-image image-build", bring_image},
    {"man --man", "'banger help' lists the commands"},
};

constexpr Word of_images[] = {
    {"ls ps images dir", list_images},
    {"pull add load fetch download create new build clone commit tag copy cp", bring_image},
    {"delete del remove rmi destroy purge undefine uninstall", remove_image},
    {"gc clean cleanup", "'banger image prune' removes all images that no VM uses"},
    {"info inspect status describe history cat get",
     "'banger image show NAME' shows all about one"},
    {"save export push", no_export},
    {"rename mv edit", "an image is never changed; 'banger image import' makes another"},
    {"run start", make},
};

constexpr Word of_net[] = {
    {"ls ps list show info inspect status-all leases arp", "'banger net status' shows the network"},
    {"port ports expose forward add map", publish},
    {"unpublish close delete del rm remove purge",
     "'banger net publish NAME PORT --remove' ends a published port"},
    {"create new up down start stop restart destroy undefine connect disconnect attach detach "
     "prune nat edit enable disable",
     network},
};

constexpr Word of_dns[] = {
    {"ls list hosts names query dump ps",
     "'banger dns records' prints the names and their addresses"},
    {"show info inspect ping", "'banger dns status' tells whether it answers, where and for whom"},
    {"lookup dig host nslookup get ask", "'banger dns resolve NAME' asks for one name"},
    {"up run enable daemon", "'banger dns start' has it answer"},
    {"down halt kill disable rm", "'banger dns stop' ends it"},
    {"reload refresh flush", "nothing needs it: names come and go with their VMs"},
    {"setup register add", "'banger dns install' has this machine ask it for names of its zone"},
    {"remove unregister", "'banger dns uninstall' takes back what 'banger dns install' did"},
};

constexpr Word of_bundles[] = {
    {"ls list ps info inspect status", "'banger bundle show' shows the bundle that VMs boot from"},
    {"check test validate fsck", "'banger bundle verify' compares each part with its checksum"},
    {"make create update upgrade rebuild pull fetch download install get",
     "'banger bundle build' builds what is missing or has changed"},
    {"rm remove delete del prune clean",
     "a bundle is a directory of files, which 'banger bundle show' names; no verb removes it"},
};

constexpr Word of_snapshots[] = {
    {"add new make save take snap", "'banger vm snapshot create NAME' makes one of a VM that runs"},
    {"show info inspect ps", "'banger vm snapshot list' lists the snapshots of VMs"},
    {"revert rollback load resume go apply",
     "'banger vm snapshot restore NAME SNAPSHOT' has a VM go on from one"},
    {"delete del remove prune destroy",
     "'banger vm snapshot rm NAME SNAPSHOT' removes one; it cannot be brought back"},
};

struct Flag {
  std::string_view flags;
  std::string_view needs; // options that the verb must take, and "!…" that it must not
  std::string_view hint;
};

constexpr Flag of_options[] = {
    {"-p -a --preserve --archive -d --no-dereference", "--recursive",
     "permissions, times and links are kept by itself: leave it out; directories are copied with "
     "-r"},
    {"-P -i -o -F -C -c -l -3 -O --port --identity", "--recursive",
     "where a VM is, and its keys, are known: leave it out"},
    {"-a -r -z -p -l -t --archive --recursive --compress", "--exclude",
     "a directory is brought as it is, with all below it: leave it out"},
    {"-v --verbose --progress --info", "--recursive",
     "progress is shown at a terminal: leave it out"},
    {"-v --verbose --progress --info -P -h", "--exclude",
     "progress is shown at a terminal: leave it out"},
    {"-n --dry-run", "--exclude",
     "there is no dry run: what differs is written at once, and removed only with --delete"},
    {"-r -R --recursive", "--force --state", "a VM goes with all that it has: leave it out"},
    {"-f --force -s --signal -9 --kill --mode --now --hard", "--timeout !--no-wait",
     "what does not stop in its time is ended by force; 'banger vm kill NAME' ends a VM at once"},
    {"-f --force -s --signal -9 -15 --now", "--jobs !--timeout !--force",
     "there is nothing to choose: leave it out; see 'banger vm stop' and 'banger vm kill'"},
    {"-f --force", "!--force", "there is nothing to force: leave it out"},
    {"-v --volumes --purge -p --remove-all-storage --storage --nvram", "--force",
     "the disks of a VM go with it: leave it out"},
    {"-a --attach -i --interactive --console --autoconsole", "--no-wait !--image",
     "'banger vm console NAME' is the serial line of a VM, 'banger ssh NAME' a shell in it"},
    {"-p --publish --port", "--remove", "ports are given without an option: NAME HOST:GUEST"},
    {"--name --rename -n", "--unlabel",
     "a VM keeps its name; 'banger vm create' makes one with another"},
    {"--graphics --display --video --noautoconsole --autoconsole --nographic --boot --bios",
     "--image", "a VM has a serial line and no screen, and boots by itself: leave it out"},
    {"--no-trunc --wide --full", "", "names are never cut, and --json tells all"},
    {"-l -u --user", "--tty", "commands run as root; as somebody else: -- su - USER -c CMD"},
    {"-i --identity", "--tty",
     "the key is banger's own, and standard input is passed on: leave it out"},
    {"-p -F -o -A -X -Y -v -T -4 -6 -C -J", "--tty",
     "where it is, and its keys, are known: leave it out; for all that ssh can do, 'banger ssh "
     "config "
     "--install' lets it know the VMs"},
    {"-L -R -D -N -W", "--tty",
     "'banger ssh forward NAME LOCAL:PORT' offers ports of a VM on this machine"},
    {"-V", "--version", "the version is shown with --version"},
    {"--mem --ram -m -M --memory-size", "--memory", "memory is given as --memory 1G"},
    {"--cpu --vcpus --vcpu -c --cores --smp", "--cpus", "processors are given as --cpus N"},
    {"--port --ports --expose -P --publish-all", "--publish",
     "a port is published as --publish HOST:GUEST, or -p HOST:GUEST"},
    {"--disk-size --size --storage --root-disk", "--disk",
     "the root disk's size is given as --disk 20G"},
    {"-v --volume --volumes --mount --bind", "--work-disk",
     "directories of the host are not mounted; --work-disk SIZE adds a disk, and 'banger ssh cp' "
     "and 'banger ssh sync' bring files"},
    {"--network --bridge --bridged --nic", "--net",
     "the network is given as --net user, --net isolated or --net bridge"},
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
    {"-a -la -al", "--state", "all VMs are listed without an option; elsewhere --all takes all"},
    {"-a -la -al", "", "all are listed without an option"},
    {"--name -n", "!--publish", "a name is given without an option: NAME"},
    {"--format --output -o", "", "--json prints one object a line, -q bare names"},
    {"-t --time", "--timeout", "how long to wait is given as --timeout 10s"},
    {"--restart --autostart", "--image", no_autostart},
    {"--privileged --cap-add --cap-drop --security-opt", "--image",
     "a VM is a machine of its own: root may do there all that there is to do; leave it out"},
    {"--entrypoint", "--image", "a command is given behind '--': -- CMD"},
    {"--gpus --device --devices --hostdev", "--image", "devices of the host are not given to VMs"},
    {"--platform --arch --os-variant --cdrom --location --iso --import --pull --template",
     "--image", "a VM is made of an image: --image NAME; 'banger image import' makes one"},
    {"--cloud-init --user-data", "--image",
     "a VM is set up by commands, 'banger ssh NAME -- CMD', or is made of an image that is"},
    {"--vm-type --hypervisor --driver", "--vmm",
     "what runs it is given as --vmm qemu or --vmm firecracker"},
    {"--filter", "--label", "--label KEY=VALUE and --state STATE choose"},
    {"--verbose --debug -D", "--log-level", "--log-level debug writes more into the log"},
    {"-y --yes --assume-yes", "", "nothing is asked; leave it out"},
    {"--recursive -R", "-r", "a tree is copied with -r"},
    {"--help-all -?", "", "--help tells all"},
};

bool is_one_of(std::string_view words, std::string_view word) {
  auto all = split(words, ' ');
  return std::ranges::find(all, word) != all.end();
}

bool fits(std::string_view needs, const std::function<bool(std::string_view)>& has) {
  return needs.empty() || std::ranges::all_of(split(needs, ' '), [&](std::string_view need) {
           return need.starts_with('!') ? !has(need.substr(1)) : has(need);
         });
}

std::optional<std::string> find(std::span<const Word> table, std::string_view word) {
  for (const Word& w : table)
    if (is_one_of(w.words, word)) return std::string(w.hint);
  return std::nullopt;
}

std::optional<std::string> find_option(std::string_view flag,
                                       const std::function<bool(std::string_view)>& has) {
  for (const Flag& f : of_options)
    if (is_one_of(f.flags, flag) && fits(f.needs, has)) return std::string(f.hint);
  return std::nullopt;
}

} // namespace

std::optional<std::string> verb_from_elsewhere(std::string_view place, std::string_view word) {
  if (word.empty()) return std::nullopt;
  // A word that this place does not list may still be one of VMs.
  std::span<const Word> own = of_banger;
  if (place == "banger vm")
    own = of_vms;
  else if (place == "banger image")
    own = of_images;
  else if (place == "banger net")
    own = of_net;
  else if (place == "banger dns")
    return find(of_dns, word);
  else if (place == "banger bundle")
    return find(of_bundles, word);
  else if (place == "banger vm snapshot")
    return find(of_snapshots, word);
  else if (place != "banger")
    return std::nullopt;
  for (std::span<const Word> table :
       {own, std::span<const Word>(of_banger), std::span<const Word>(of_vms)})
    if (auto hint = find(table, word)) return hint;
  return std::nullopt;
}

std::optional<std::string> option_from_elsewhere(std::string_view flag,
                                                 const std::function<bool(std::string_view)>& has) {
  if (auto hint = find_option(flag, has)) return hint;
  if (flag.size() < 3 || flag[0] != '-' || flag[1] == '-') return std::nullopt;
  // Several letters, such as rsync's -avz: what is to be said of those that the verb does not take.
  std::vector<std::string> hints;
  for (char letter : flag.substr(1)) {
    std::string one{'-', letter};
    if (has(one)) continue;
    auto hint = find_option(one, has);
    if (!hint) return std::nullopt;
    if (std::ranges::find(hints, *hint) == hints.end()) hints.push_back(std::move(*hint));
  }
  // More is no group of letters, but a word behind one dash.
  if (hints.empty() || hints.size() > 2) return std::nullopt;
  return join(hints, "; ");
}

} // namespace banger::cli
