#include "banger-bundle/verbs.h"

using namespace banger;

int main(int argc, char** argv) {
  static const cli::VerbEntry verbs[] = {
      {.name = "build",
       .summary = "build kernel, initrd and root from Debian's packages",
       .manual =
           "Fetches Debian's packages, checked against Debian's keyring, and makes of them what "
           "VMs "
           "boot from: the kernel as bzImage and as ELF, an initrd with banger's own init, and a "
           "root file system as ext4. Nothing is mounted, and no root is needed where one of "
           "mmdebstrap's rootless modes serves. The mirror and proxy of this host's apt are used "
           "where the host is a Debian.\n\n"
           "What is there already and was made of the same inputs (the suite, the recipe, the "
           "package list, the initrd's init) is not made again; newer packages in Debian's archive "
           "are taken with --force. A build that is interrupted leaves the old bundle as it "
           "was.\n\n"
           "The variant debian is a Debian with systemd and OpenSSH, its packages listed in "
           "share/banger/runtime/packages; tiny is busybox and dropbear. Both may lie in one "
           "bundle.",
       .examples = {{"banger bundle build", "build the default bundle"},
                    {"banger bundle build --variant tiny", "add the small root file system to it"}},
       .objects = {"bundle"},
       .make = tool::make_build},
      {.name = "show",
       .summary = "show the bundle that VMs boot from",
       .manual = "Tells where the bundle lies, why there (configured, source, state, install), and "
                 "its parts.",
       .examples = {{"banger bundle show --json | jq -r .path", "print the bundle's directory"}},
       .objects = {"bundle"},
       .make = tool::make_show},
      {.name = "verify",
       .summary = "check the bundle's parts against their sha256",
       .manual = "Reads every part, or those named, and compares it with bundle.json. A part that "
                 "is corrupt gives status 1, one that is missing 5.",
       .examples = {{"banger bundle verify", "check all parts"},
                    {"banger bundle verify kernel initrd", "check two of them"}},
       .objects = {"result"},
       .make = tool::make_verify},
  };
  static const cli::Tool program{
      "banger-bundle", "build, show and check what VMs boot from",
      "A bundle is one directory with a kernel, an initrd and root file systems, described by "
      "bundle.json. It is found, in this order: where --runtime-dir, BANGER_RUNTIME_DIR or "
      "runtime_dir of the config say; in runtime/bundle of the source tree, for tools run from its "
      "build directory; in the state directory; in lib/banger of the installed tree.",
      verbs};
  return cli::run_tool(program, argc, argv);
}
