// /init of the bundle's initrd: brings a microVM from the kernel's first process to its root file
// system's own init. One static program: no shell, no heap to speak of, no exceptions.
//
// Stages, each told on the console as "banger-init: STAGE SECONDS" (since the kernel's boot) when
// it is done, in this order (tests and the monitor read these lines):
//   start    kernel file systems mounted; this program's own first line
//   modules  those of /banger/modules loaded
//   seed     /banger/seed read (init/seed.h)
//   net      lo and the interface configured
//   grow     a file system made as large as its disk; for each that was smaller
//   disk     the root file system mounted on /newroot, the work disk in it
//   files    /banger/files placed into it
//   switch   about to become the root's init
// A failure is one line, "banger-init: failed at STAGE: reason", and a reboot once that line has
// left the serial port. A failure of net or grow alone does not stop the boot.
//
// The root file system is not trusted: nothing in it leads a write out of it.
//
// Functions return false or a negative descriptor after fail() has noted why; main.cc decides.
#pragma once

#include <string_view>

#include <sys/types.h>

#include "init/seed.h"

namespace banger::init {

// Notes "reason" (printf form) for the failure line; "%m" is errno. Returns false.
[[gnu::format(printf, 1, 2)]] bool fail(const char* form, ...);
// The failure that was noted last; "" at first.
const char* failure();

// console.cc
// Must come first; without a console all that is said is lost.
void open_console();
void say_stage(const char* stage);
void say_failure(const char* stage);
// Returns when the serial port has sent everything.
void drain_console();

// modules.cc
// Loads in the order of `list` (init/seed.h, next_module): those wanted `always`, and those for a
// virtio device that is there; with `overlay` true only those wanted for overlay.
bool load_modules(std::string_view list, bool overlay);

// net.cc
bool configure_net(const Seed& seed);

// ext4.cc
// Whether its journal holds what a mount has to replay: its last machine ended without unmounting.
bool needs_recovery(const char* device);
// Makes the ext4 file system on `device`, mounted on `mount_point`, as large as the device where it
// is smaller; `grew` says so. The kernel journals each step: whenever the machine ends, the file
// system is whole, and the next boot goes on.
bool grow_ext4(const char* device, const char* mount_point, bool& grew);

// disk.cc
// Mounts the root on `target`, in the way the seed says; loads modules for overlay from `list`.
bool mount_root(const Seed& seed, std::string_view module_list, const char* target);
// Mounts the work disk, where there is one, at its place in the root that is mounted on `target`.
bool mount_work(const Seed& seed, const char* target);

// files.cc
// open(2) with flags, of `path` below the directory `root` as if `root` were "/": symbolic links in
// it, absolute ones and ".." too, cannot lead out.
int open_in_root(int root, const char* path, int flags);
// A directory below `root`, made with `mode` where it is missing, its missing parents with 0755;
// what is made belongs to `owner` (user and group).
int make_dirs_in_root(int root, const char* path, mode_t mode, uid_t owner);
// Places all that is below the directory `from` at the same path below `root`, with its own modes,
// owned by `owner`. A file replaces what is there (a symbolic link itself, not what it points to),
// but never a directory; a directory that is there stays as it is. A link in
// `from` is a failure; devices and the like are passed over.
bool place_files(int from, int root, uid_t owner);

// switch.cc
// Becomes the root's init; returns only on failure. Calls `ready` when nothing but exec is left.
bool switch_root(const char* new_root, const char* init, void (*ready)());

// util.cc
// The whole file, mapped or read into memory that is never given back; null data if it cannot be
// read (errno tells).
std::string_view read_whole(const char* path);
// One line of a small file in /sys, without its newline, in a static buffer; empty if unreadable.
std::string_view read_line(const char* path);

} // namespace banger::init
