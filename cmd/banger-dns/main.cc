// banger-dns: names of VMs.
#include "banger-dns/verbs.h"
#include "state/state.h"

namespace {

using namespace banger;

const cli::VerbEntry verbs[] = {
    {.name = "serve",
     .summary = "answer for the names of the VMs that run, in the foreground",
     .manual =
         "Answers at dns.listen, over UDP and TCP, until SIGTERM or Ctrl-C. demo.vm is the address "
         "at which this host reaches the VM demo, as long as it runs, and so is every name below "
         "it; that address leads back to the name. The answers follow the state: a question that "
         "is asked after a command has ended is answered by what that command did. While the state "
         "cannot be read, the answer is SERVFAIL.\n\n"
         "It knows names of VMs alone (dns.zone): whoever asks for others is refused. A resolver "
         "is told to ask it for that zone, and no other.\n\n"
         "A state has one such daemon; with --replace it takes the place of one that there is, and "
         "no question by UDP is lost. An address and port belong to the first state that takes "
         "them; another one sets dns.listen. banger dns start serves in the background, and so "
         "does a VM that is started, with --idle (dns.autostart). A newer banger that starts a VM "
         "puts a daemon of its own in the place of one with --background, and leaves others alone. "
         "Under systemd it takes the sockets of its socket unit, and tells when it is ready "
         "(Type=notify). Units are installed for root's state and for users': systemctl [--user] "
         "enable --now banger-dns.service, or banger-dns.socket, which holds the port and starts "
         "the service with the first question.",
     .examples = {{"banger dns serve", "until Ctrl-C"},
                  {"BANGER_DNS_LISTEN=127.0.0.53:5300 banger dns serve", "at another place"}},
     .objects = {},
     .make = tool::make_serve},
    {.name = "start",
     .summary = "serve in the background, if nobody does yet",
     .manual =
         "Starts what banger dns serve is, on its own, and returns when it answers. It goes on "
         "until banger dns stop, or until this host is shut down. Where there is one already "
         "nothing is done, but that one which a VM's start began goes on without VMs, too.",
     .examples = {{"banger dns start", "answer from now on"},
                  {"banger dns start -q && banger vm start demo", "before a VM"}},
     .objects = {"result"},
     .make = tool::make_start},
    {.name = "stop",
     .summary = "end the daemon of this state",
     .manual =
         "Waits until it has ended; one that does not within five seconds is killed. The VMs run "
         "on. Where there is none nothing is done. The next VM that is started brings it back, "
         "unless dns.autostart is false.",
     .examples = {{"banger dns stop", "answer no more"}},
     .objects = {"result"},
     .make = tool::make_stop},
    {.name = "restart",
     .summary = "put a daemon of this build and config in the place of the one there is",
     .manual =
         "The new one takes over its sockets: what is asked meanwhile is answered later, and only "
         "connections of TCP are closed. Where there is none it is started.",
     .examples = {{"BANGER_DNS_TTL=1 banger dns restart", "with another setting"}},
     .objects = {"result"},
     .make = tool::make_restart},
    {.name = "status",
     .summary = "show whether names are answered, where, and by whom",
     .manual =
         "Where no daemon of this state is there, and another program has its port, it says which "
         "one. Whether this host's programs ask the daemon is seen by a look-up as any of them "
         "does it (libc's, by getent), of a name that nobody has: does the question come here? "
         "RECORDS are two for each VM that runs: its address, and its name. CHANGES counts how "
         "often they were others.",
     .examples = {{"banger dns status", "the daemon now"},
                  {"banger dns status --json | jq .queries", "how many were answered"}},
     .objects = {"dns"},
     .make = tool::make_status},
    {.name = "resolve",
     .summary = "ask for a name, as any program would",
     .manual =
         "Asks the server at dns.listen over the network, and prints the address: of a VM by its "
         "name alone or with its zone, of any other full name as it is. For an address it prints "
         "the name. What is not there is status 3.",
     .examples = {{"banger dns resolve demo", "the address of demo.vm"},
                  {"banger dns resolve www.demo.vm", "of a name below it"},
                  {"banger dns resolve 127.31.4.1", "whose address that is"}},
     .objects = {"record"},
     .make = tool::make_resolve},
    {.name = "records",
     .summary = "list the names of the VMs that run",
     .manual = "As the daemon answers them, whether it is there or not: for each VM that runs its "
               "address (A), and its name (PTR).",
     .examples =
         {{"banger dns records", "all of them"},
          {"banger dns records --json | jq -r 'select(.type == \"A\") | .data + \" \" + .name'",
           "lines for a hosts file"}},
     .objects = {"record"},
     .make = tool::make_records},
    {.name = "install",
     .summary = "have this host's programs find VMs by their names",
     .manual =
         "Tells the resolver that this host uses to ask at dns.listen for names of dns.zone, and "
         "for no others: systemd-resolved (by a delegate from systemd 258 on, before that by a "
         "network link of its own), dnsmasq, or the dnsmasq that NetworkManager runs. It says what "
         "it writes and runs, and proves by a look-up as any program does it that the question "
         "comes there; where it does not, all is taken back. It holds when this host is booted "
         "again. Which state's daemon is there is no matter.\n\n"
         "A host whose programs ask a server elsewhere themselves (/etc/resolv.conf alone) cannot "
         "be told, and nothing is done. Names of addresses (PTR) are not asked for there. Only "
         "root may do it.",
     .examples = {{"banger dns install --dry-run", "what would be written"},
                  {"sudo banger dns install", "write it"}},
     .objects = {"resolver", "result"},
     .make = tool::make_install},
    {.name = "uninstall",
     .summary = "take back what install did",
     .manual =
         "Removes the files that install has written, whatever this host's resolver is now, and "
         "has it read its config again. Where there are none nothing is done.",
     .examples = {{"sudo banger dns uninstall", "as it was before"}},
     .objects = {"result"},
     .make = tool::make_uninstall,
     .destroys = true},
};

std::vector<std::string> names(cli::Complete what, const Dirs& dirs) {
  if (what != cli::Complete::vms) return {};
  return state::State::open(dirs, state::Mode::read).vm_names();
}

const cli::Tool program{"banger-dns", "give VMs names that resolve",
                        "An authoritative DNS server for the names of a state's VMs, and what it "
                        "says.",
                        verbs, names};

} // namespace

int main(int argc, char** argv) { return cli::run_tool(program, argc, argv); }
