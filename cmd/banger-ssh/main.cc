// banger-ssh: commands and shells in VMs.
#include <array>

#include "banger-ssh/verbs.h"
#include "cli/verb.h"
#include "state/state.h"

using namespace banger;

namespace {

std::vector<std::string> names(cli::Complete what, const Dirs& dirs) {
  if (what != cli::Complete::vms) return {};
  return state::State::open(dirs, state::Mode::read).vm_names();
}

} // namespace

int main(int argc, char** argv) {
  const std::array<cli::VerbEntry, 5> verbs{
      {{.name = "",
        .summary = "run a command or a shell in a VM",
        .manual =
            "All words after NAME are the command's, its options too, as with ssh; banger's own "
            "options stand before it, and a '--' right behind NAME is dropped. Without CMD it "
            "opens "
            "a shell: where standard input is a terminal, on that, with OpenSSH's client, or where "
            "there "
            "is "
            "none by itself (~. at the beginning of a line leaves). With CMD it "
            "runs that in the guest: standard input, output and error are passed through "
            "byte for byte, and the guest's exit status becomes this one's (128+n where signal "
            "n ended the command). For every failure of banger's own the status is 255, and the "
            "error tells which.\n\n"
            "A TERM that the guest does not know becomes one that it does. A command may have "
            "131,000 "
            "bytes, on a terminal 8000.\n\n"
            "When the VM ends or reboots, the command ends with status 255 within two seconds.\n\n"
            "INT, TERM and HUP go to all processes of the command; what has not ended 5 s later, "
            "or at a second signal, is killed; a guest that says nothing at all is left after one. "
            "When the connection is cut, or banger-ssh itself is "
            "killed, the guest ends them. Commands that end within 0.2 s (in a slow guest 2 s) are "
            "not watched over so, and what called setsid stays.\n\n"
            "One word is given to the guest's shell as it is, so that it can be a script; "
            "several words are quoted, so that the command gets its arguments as they are "
            "written here:\n\n"
            "    banger ssh demo 'cd /etc && ls | wc -l'\n"
            "    banger ssh demo grep 'two words' '/tmp/a file'\n\n"
            "The guest is authenticated by the host key that banger gave it; there is no trust "
            "on first use.",
        .examples = {{"banger ssh demo", "a shell"},
                     {"banger ssh demo uname -a", "one command"},
                     {"tar c src | banger ssh demo tar x -C /root", "a pipe into the guest"},
                     {"banger ssh demo <script", "a script for its shell"},
                     {"banger ssh -t demo top", "a command that wants a terminal"}},
        .objects = {},
        .make = tool::make_connect,
        .relays_status = true},
       {.name = "cp",
        .summary = "copy files and trees to and from VMs",
        .manual =
            "A place is a path here, NAME:PATH in a VM (relative to root's home there, which is "
            "NAME: itself), or - for standard input or output. A path here with a colon in it is "
            "written ./a:b. Between two VMs the data passes through this machine and is not "
            "stored.\n\n"
            "Names come out as with cp -r: in a directory that is there a thing gets its own name, "
            "elsewhere the target's; DIR/. is the content of DIR. Permissions, times, symbolic and "
            "hard links are kept, and holes where the guest's tar knows them (GNU tar does, "
            "busybox does not); owners only between VMs. A file, or a tree where none was, takes "
            "its place at once when it is whole: a copy that was cut short leaves nothing. What "
            "is copied into a directory that is there is added to it.\n\n"
            "A file that was there keeps owner, group, permissions, its other names and its access "
            "list, in a tree too; where it is a link to a file, that one is written (with -r a "
            "link "
            "here is replaced). Into a device or a FIFO that is the target it is written; a tree "
            "takes the place of none. A directory that was there stays what it is.\n\n"
            "A file's content is what cat shows, in /proc and /sys too, where a file's size says "
            "nothing (up to 256M of such a one, 16M in a tree); what cannot be read so is an "
            "error. "
            "In a tree of theirs there is always something that cannot be read: that is named, the "
            "status is 1, and all else has been copied. Where they are mounted below another tree, "
            "as below /, "
            "the copy has an empty directory, and a notice names it. A file that shrinks while it "
            "is read is an "
            "error, too; one that grows comes as it was.\n\n"
            "The guest needs a POSIX shell and tar. What a guest sends is written nowhere but "
            "below "
            "the target, and through no symbolic link in it; here set-id bits are dropped, and "
            "what the "
            "umask takes from files and directories that were not there. With -r "
            "a link that stands at the target is replaced; without it a link to a file is "
            "followed, as by cp.",
        .examples = {{"banger ssh cp notes.txt demo:", "a file into the home directory"},
                     {"banger ssh cp -r demo:/var/log ./log", "a tree out of a VM"},
                     {"banger ssh cp -r src/. demo:/srv", "the content of a directory"},
                     {"banger ssh cp -r demo:/etc other:/root/etc-of-demo", "between two VMs"},
                     {"banger ssh cp demo:/etc/hosts - | grep demo", "to standard output"}},
        .objects = {"result"},
        .make = tool::make_cp},
       {.name = "forward",
        .summary = "offer ports of a VM on this machine",
        .manual =
            "Listens on 127.0.0.1 (or ADDRESS) and passes each connection on to the port on the "
            "guest's own 127.0.0.1, through one ssh connection: also to what listens there alone. "
            "LOCAL is the port here, the same as the guest's where it is not given, 0 for one that "
            "is free. It prints what it offers once it does, and stays until INT or TERM; a VM "
            "that "
            "stops ends it with status 1. A port here that is taken is a conflict (4).\n\n"
            "For ports that shall be there whenever the VM runs see --publish of 'banger vm "
            "create'.",
        .examples = {{"banger ssh forward demo 8080:80", "its web server at 127.0.0.1:8080"},
                     {"banger ssh forward demo 5432 0.0.0.0:8080:80", "two, one for the network"}},
        .objects = {"forward"},
        .make = tool::make_forward},
       {.name = "sync",
        .summary = "make a directory in a VM like one here, or the other way",
        .manual =
            "The content of SRC becomes that of DST, by rsync, which sends only what differs and "
            "must be installed here and in the guest. Permissions, times, links and holes are "
            "kept, "
            "owners are not; what DST has beyond it stays, unless --delete is given. One place is "
            "in a VM. Out of a VM come no set-id bits, devices, sockets or FIFOs, and no "
            "permissions "
            "that the umask takes.\n\n"
            "With --watch, SRC being here, it is done again shortly after each change below SRC, "
            "until "
            "INT or TERM; a guest that goes ends it.",
        .examples = {{"banger ssh sync src demo:src --watch", "work here, build there"},
                     {"banger ssh sync demo:/srv/www www --delete", "fetch an exact copy"}},
        .objects = {"result"},
        .make = tool::make_sync},
       {.name = "config",
        .summary = "print an ssh_config for all VMs",
        .manual = "For OpenSSH's client and all that is built on it (scp, rsync, editors). With "
                  "--install it is written to the state's directory, where it is kept up to date "
                  "from then on, and the line that includes it is printed.",
        .examples = {{"banger ssh config --install",
                      "write it once and show the line for ~/.ssh/config"},
                     {"banger ssh config >vms && ssh -F vms demo.vm", "use it once"}},
        .objects = {"vm"},
        .make = tool::make_config}}};
  const cli::Tool program{"banger-ssh", "run commands and shells in VMs", "", verbs, names};
  return cli::run_tool(program, argc, argv);
}
