// banger-net: the network between VMs, host and the outside.
#include "banger-net/verbs.h"
#include "state/state.h"

namespace {

using namespace banger;

const cli::VerbEntry verbs[] = {
    {.name = "up",
     .summary = "make a bridge on the host for this state's VMs",
     .manual =
         "The bridge is in the host's own network namespace, with a subnet of its own that the "
         "host "
         "has no other route to. The host, and its LAN where it has a route to that subnet, reach "
         "each VM at the VM's address. From now on it is the network of new VMs that ask for none; "
         "others get it by --net bridge, or banger vm set --net bridge.\n\n"
         "Its VMs reach one another, and the outside by the links that have a default route, "
         "behind "
         "the host's address there (NAT). They do not reach the host itself, but for names and "
         "echo at the bridge, nor the host's other networks; net.host_access opens the host to VMs "
         "that are started then. A VM sends only from its own MAC and address.\n\n"
         "Bridge, taps and rules are made with root's rights, by libexec/banger/banger-helper: "
         "root "
         "needs nothing more, others a rule of sudo for that program alone, or capabilities of its "
         "own: banger doctor prints both. /etc/banger/helper.toml has the limits (man "
         "banger-helper.toml). All of it bears the state's tag: the bridge bng-TAG, the tables "
         "banger_TAG of "
         "nftables. Forwarding is turned on for the bridge and the uplinks alone. A firewall of "
         "the "
         "host that drops what is forwarded has to let the bridge through.\n\n"
         "It stays up over reboots of the host: the next start makes it again. Where rules were "
         "flushed, up makes them anew while VMs run.",
     .examples = {{"sudo banger net up", "for root's own VMs"},
                  {"banger net up --subnet 192.168.77.0/24", "with addresses of your choice"}},
     .objects = {"result"},
     .make = tool::make_up},
    {.name = "down",
     .summary = "remove the bridge that up made",
     .manual = "All that belongs to it goes: bridge, taps, rules, and the forwarding of links that "
               "had none "
               "before. Its subnet is kept for the next up, and VMs keep their addresses. VMs that "
               "run on it "
               "are a conflict (status 4) that names them.",
     .examples = {{"banger net down", "no bridge any more"}},
     .objects = {"result"},
     .make = tool::make_down},
    {.name = "nat up",
     .summary = "let VMs on the bridge go out by the host's uplinks",
     .manual =
         "A VM on the bridge goes out behind the host's address by the links that have a default "
         "route, unless nat down has taken that away. It is so at once for a VM that runs, and "
         "over "
         "stops and starts. banger net status --json counts what each VM sent out.",
     .examples = {{"banger net nat up web", "its way out again"}},
     .objects = {"result"},
     .make = tool::make_nat_up},
    {.name = "nat down",
     .summary = "leave VMs on the bridge without a way out",
     .manual = "A VM without NAT reaches its neighbours on the bridge and is reached from the "
               "host, its LAN "
               "and by published ports as before; what it begins itself goes nowhere else.",
     .examples = {{"banger net nat down build", "it may not fetch anything"}},
     .objects = {"result"},
     .make = tool::make_nat_down},
    {.name = "status",
     .summary = "show the network, who is in it, and what is forwarded",
     .manual =
         "The VMs of a state share one private network: a bridge in a network namespace of "
         "its own, made for the first VM that starts and gone with the last, with slirp4netns "
         "as its way out. No rights are needed for it. The VMs reach each other and the "
         "outside, but not the host itself; the host reaches each VM at a loopback "
         "address of its own.\n\n"
         "What a host has lost of the network bridge by another's hand (rules flushed, a link "
         "removed, forwarding off) is told with the command that mends it.\n\n"
         "Guests ask the bridge's address for names. What answers there tells them the VMs that "
         "run, by their addresses in this network, and asks the host's name servers for all "
         "others.\n\n"
         "A VM can send only from its own MAC and address. DROPPED counts what it tried "
         "otherwise: mac, address, arp (claims of an address that is not its own), dhcp "
         "(nobody is configured by DHCP here), destination (to loopback, link-local, "
         "multicast or reserved addresses, or to the host itself, which net.host_access opens but "
         "for "
         "its loopback), other (neither IPv4 nor ARP).\n\n"
         "Where the host does not allow such a network, new VMs are isolated, each alone behind "
         "a network of its VMM's own; why, and what would mend it, is shown.",
     .examples = {{"banger net status", "the network now"},
                  {"banger net status --json | jq -r '.leases[] | .vm + \" \" + .address'",
                   "names and addresses"}},
     .objects = {"net"},
     .make = tool::make_status},
    {.name = "probe",
     .summary = "try a VM's traffic, and tell what drops it",
     .manual =
         "Sends real traffic of a VM that runs, on every network: from the host to the guest "
         "(guest), from the guest to the outside (outside), the names that it asks for (name, its "
         "own; names, those of the outside), and to its published ports (port). What the guest has "
         "itself is looked at, too: link, address, route. Nothing is changed by it.\n\n"
         "What is lost is told with who keeps it from arriving: the guest itself, a setting of the "
         "VM, a rule of banger's, a firewall of another owner (with its table, its chain and the "
         "number of the rule), forwarding or routes of this host, a process that has ended, or the "
         "outside. On the bridge the packets are watched for that, by banger-helper.\n\n"
         "The guest tries by its own programs, over ssh: bash, or busybox's nc and nslookup. "
         "Outside is where this host gets, too: the first of its name servers, or of its gateways, "
         "that answers by TCP; --to names another, whose name this host's name servers are asked "
         "for, as the resolver of the VMs does. The status is 0 where nothing was lost, and 1 "
         "otherwise; --quiet names what was lost alone.",
     .examples = {{"banger net probe web", "what arrives, and what does not"},
                  {"banger net probe --to 192.0.2.7:443 web", "whether it gets to that server"},
                  {"banger net probe --to example.com:443 web", "the same by a name"},
                  {"banger net probe --json web | jq 'select(.outcome == \"lost\")'",
                   "what is lost, and why"}},
     .objects = {"probe"},
     .make = tool::make_probe},
    {.name = "publish",
     .summary = "make ports of a VM reachable on the host, or list them",
     .manual =
         "Each port of the host leads to one of the guest from then on, over stops and starts "
         "too; on a VM that runs at once. Without ADDR it is both at 127.0.0.1 and at the VM's own "
         "loopback address (see banger vm show). With own: it is at the VM's own address alone, "
         "which no other VM's port is in the way of; with an address of the host's, or localhost, "
         "at that one alone; 0.0.0.0 makes it reachable from elsewhere. HOST and GUEST may be "
         "ranges of the same length. A VM has at most 256 ports of the host; what is at two "
         "addresses counts as two.\n\n"
         "Every user of this host can connect to its loopback addresses, and so to a "
         "published port. A port that another VM publishes, or another program listens on, is a "
         "conflict (status 4) that names who has it, and so is a port of UDP of an isolated VM: "
         "its network lets no answer out, unless net.isolated_outbound is set.\n\n"
         "A port below 1024 that this user may not have becomes a free high one; the list shows "
         "which. Without ports the VM's are listed. --remove without ADDR ends a port at both "
         "addresses.",
     .examples = {{"banger net publish web 8080:80", "the guest's port 80 as 127.0.0.1:8080"},
                  {"banger net publish web own:8080:80", "at the VM's own address alone"},
                  {"banger net publish web 8000-8010:8000-8010", "eleven ports"},
                  {"banger net publish web 0.0.0.0:5353:53/udp", "for other hosts, and UDP"},
                  {"banger net publish web 8080:80 --remove", "no more"}},
     .objects = {"port", "result"},
     .make = tool::make_publish},
};

std::vector<std::string> names(cli::Complete what, const Dirs& dirs) {
  if (what != cli::Complete::vms) return {};
  return state::State::open(dirs, state::Mode::read).vm_names();
}

const cli::Tool program{"banger-net", "show the VMs' network and publish their ports",
                        "How VMs reach each other, the outside, and how the host reaches them.",
                        verbs, names};

} // namespace

int main(int argc, char** argv) { return cli::run_tool(program, argc, argv); }
