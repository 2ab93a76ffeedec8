// The seed of a guest, read before it boots: a small archive that follows the base initrd.
//
//   base initrd | zeros to a multiple of 4 | seed_archive(seed)
//
// In it:
//   banger/seed         lines key=value: hostname address prefix gateway dns mac disk root upper
//                       work work_mount (empty ones left out; a reader ignores keys that it does
//                       not know)
//   banger/files/PATH   files that the initrd's init puts at /PATH of the root, owned by root, with
//                       these modes
//
// Pure. The same seed gives the same bytes. A newline, a NUL or another control character in a
// value or path is refused with Error(failed); a file's content may be anything.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "guest/identity/keys.h"

namespace banger::guest {

// How the root comes to be: the root device itself, or an overlay file system of it (read-only)
// and an upper device.
enum class DiskMode { direct, overlay };

struct SeedFile {
  std::string path;   // "etc/hostname": relative to the root
  mode_t mode = 0644; // permissions; with S_IFDIR a directory, without content
  std::string content;
  bool operator==(const SeedFile&) const = default;
};

struct Seed {
  std::string hostname;
  std::string address; // "10.0.2.15"
  int prefix = 24;
  std::string gateway; // may be empty
  std::string dns;     // may be empty
  std::string mac;     // "52:54:00:12:34:56", how the guest finds the interface
  DiskMode disk = DiskMode::direct;
  std::string root = "/dev/vda";
  std::string upper;      // "/dev/vdb" for DiskMode::overlay
  std::string work;       // the work disk's device; empty where there is none
  std::string work_mount; // where it is mounted, "/root"
  std::vector<SeedFile> files;
  bool operator==(const Seed&) const = default;
};

// The files that make a guest the VM that `seed` describes: etc/hostname, etc/hosts,
// etc/resolv.conf, the ssh host key for OpenSSH and for dropbear, and root's authorized_keys.
// `zone` is the VM's domain ("vm": its own name is "demo.vm"); `authorized` is a public key line.
std::vector<SeedFile> identity_files(const Seed& seed, std::string_view zone,
                                     const KeyPair& host_key, std::string_view authorized);

std::string seed_archive(const Seed& seed);

// The zeros that an initrd of `size` bytes needs before another archive: the kernel looks for it at
// a multiple of 4, and loses it without a word anywhere else.
std::string padding_for(uint64_t size);

} // namespace banger::guest
