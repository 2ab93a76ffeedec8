// banger-image: the root file systems that VMs are made from.
#include "banger-image/verbs.h"
#include "model/settings.h"
#include "state/state.h"

namespace {

using namespace banger;

const cli::VerbEntry verbs[] = {
    {.name = "import",
     .summary = "make an image from a file system, disk, tarball or directory",
     .manual =
         "SOURCE is a raw disk with a partition table (its root is the largest Linux partition, or "
         "--partition N), an ext4 file system, a tarball of a root file system or of a disk, each "
         "plain or packed (gzip, xz, zstd, bzip2), or a directory. It may be a file, a block "
         "device that is not in use, a FIFO, or - for standard input. It is copied: the source may "
         "go afterwards. No rights are needed; a tarball's owners and devices are kept for "
         "everyone, and what belongs to you in a directory belongs to root in the image. What is "
         "cut short is refused. qcow2, VMDK, VHD and VDI disks need qemu-img convert -O raw "
         "first.\n\n"
         "A root of another machine is put in order: lines of its /etc/fstab for disks that a VM "
         "does not have become comments, systemd units that mount them are masked. What has no "
         "init is refused.\n\n"
         "No image may have the name of one of the bundle's own. "
         "An image is never changed afterwards. Without --size a tarball or directory gets what "
         "its content takes and some room; banger vm create --disk gives a VM more. A tarball, and "
         "what is packed or comes from a pipe, may hold 16 GiB, or as much as --size says.",
     .examples = {{"banger image import mine root.tar.zst", "from a tarball"},
                  {"curl -L URL | banger image import mine - --size 4G",
                   "from standard input, at most 4 GiB"},
                  {"banger image import cloud debian-12-nocloud-amd64.tar.xz",
                   "Debian's own cloud image: a disk in a tarball"},
                  {"banger image import old disk.img --partition 2", "from a partition of a disk"}},
     .objects = {"result"},
     .make = tool::make_import},
    {.name = "list",
     .summary = "list images",
     .manual = "With --json one object a line, an image each.",
     .examples = {{"banger image list --json | jq -r 'select(.vms == 0).name'",
                   "images that no VM stands on"}},
     .objects = {"image"},
     .make = tool::make_list},
    {.name = "show",
     .summary = "show everything about images",
     .manual = "",
     .examples = {{"banger image show --json debian | jq -r .sha256", "an image's sha256"}},
     .objects = {"image"},
     .make = tool::make_show},
    {.name = "rm",
     .summary = "remove images that no VM stands on",
     .manual = "An image that VMs were made from stays as long as they do (status 4, and the error "
               "names them).",
     .examples = {{"banger image rm old", "remove an image"}},
     .objects = {"result"},
     .make = tool::make_rm,
     .destroys = true},
    {.name = "prune",
     .summary = "remove all images that no VM stands on",
     .manual = "The bundle's own images come back when a VM is made from them.",
     .examples = {{"banger image prune --dry-run", "see what would go"}},
     .objects = {"result"},
     .make = tool::make_prune,
     .destroys = true},
};

std::vector<std::string> names(cli::Complete what, const Dirs& dirs) {
  auto db = state::State::open(dirs, state::Mode::read);
  std::vector<std::string> out;
  if (what == cli::Complete::images)
    for (const Image& i : db.images())
      if (i.ready) out.push_back(i.name);
  return out;
}

const cli::Tool program{
    "banger-image", "manage the images that VMs are made from",
    "An image is a root file system that VMs are made from. It never changes; many VMs share one.",
    verbs, names};

} // namespace

int main(int argc, char** argv) { return cli::run_tool(program, argc, argv); }
