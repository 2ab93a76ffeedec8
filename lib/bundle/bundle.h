// A runtime bundle: the files that a VM boots from, in one directory.
//
//   bundle.json                  what is there; written last and at once
//   kernel-SHA12                 part "kernel": the bzImage
//   kernel-elf-SHA12             part "kernel-elf": the same kernel as an uncompressed ELF
//   initrd-SHA12                 part "initrd": newc of /init and modules, size a multiple of 4
//   root-debian-SHA12.ext4       part "root-VARIANT": a root file system; one a variant built
//   .lock .build-* build.log     the builder's own
//
// A part's file carries the first 12 digits of its sha256, so a new build never writes over a file
// that the old bundle.json names: a reader sees one whole bundle or the other. The builder removes
// the old files once the new bundle.json stands: resolve paths through load_bundle at each start.
//
// Facts are those of bundle.json; nothing is checked but its form until verify_part or require_part
// is asked. Sizes are bytes. A Bundle is a plain value and owns nothing on the disk.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace banger::bundle {

struct Part {
  std::string name;   // "kernel", "kernel-elf", "initrd", "root-debian", "root-tiny"
  std::string file;   // in the bundle's directory, no '/'
  int64_t size = 0;   // of the file
  std::string sha256; // 64 hex digits
  std::string suite;  // "bookworm"
  std::string inputs; // hash of all that it was made from; the builder's
  bool operator==(const Part&) const = default;
};

// The facts about a root file system beyond its part "root-VARIANT".
struct Root {
  std::string variant;                // "debian", "tiny"
  std::string packages_hash;          // sha256 of the package list it was built with
  std::string packages;               // that list as it was, comments too
  std::vector<std::string> installed; // "NAME VERSION", sorted
  bool operator==(const Root&) const = default;
};

struct Bundle {
  std::string path;           // absolute, the directory
  std::string name;           // "debian-bookworm-amd64"
  std::string suite;          // of the kernel
  std::string arch;           // "amd64"
  std::string kernel_release; // "6.1.0-37-cloud-amd64"
  std::vector<Part> parts;
  std::vector<Root> roots;

  const Part* find_part(std::string_view part) const;
  // Throws Error(preflight) with the command that builds it.
  const Part& get_part(std::string_view part) const;
  const Part& kernel() const { return get_part("kernel"); }
  const Part& kernel_elf() const { return get_part("kernel-elf"); }
  const Part& initrd() const { return get_part("initrd"); }
  const Root* find_root(std::string_view variant) const;
  // The root file system's part; throws Error(preflight) with the command that builds it.
  const Part& root_part(std::string_view variant) const;
  // "debian" where it is there, else the first built; empty if there is no root.
  std::string default_variant() const;
  std::string file(const Part& part) const { return path + "/" + part.file; }
};

// The bundle in `dir`. None if there is no bundle.json; throws Error(failed) with a hint if that is
// no bundle's, Error(conflict) if it was written by a newer banger.
std::optional<Bundle> find_bundle(const std::string& dir);
// The same; absence is Error(preflight), hint `banger bundle build`.
Bundle load_bundle(const std::string& dir);

// bundle.json's content and back (`path` is not in it).
nlohmann::ordered_json to_json(const Bundle& bundle);
Bundle from_json(const nlohmann::json& json, const std::string& dir);

// That the part's file is there with its size: one stat. Error(preflight) if it is missing,
// Error(failed) if its size is wrong; both name the part. Returns the file's path.
std::string require_part(const Bundle& bundle, const Part& part);
// require_part and its sha256: reads all of it (a root of 2 GiB takes seconds). Error(failed) "part
// 'NAME' … is corrupt".
void verify_part(const Bundle& bundle, const Part& part);
// A key by which a caller may keep a verdict of verify_part: the path, device, inode, size, mtime
// and the sha256 expected. Throws as require_part does.
std::string part_identity(const Bundle& bundle, const Part& part);

} // namespace banger::bundle
