// Building a runtime bundle from Debian's own packages.
//
// Guarantees: the bundle in `out` is whole at any moment, whatever dies: parts are made in a
// temporary directory there, get names of their own (bundle/bundle.h), and bundle.json is replaced
// last and at once (the kernel and its initrd first, then the root). A part of the same inputs is
// not made again. Two builds of one directory wait for one another. Nothing is mounted; without
// being root, mmdebstrap's own rootless modes serve.
#pragma once

#include <string>
#include <vector>

#include "bundle/bundle.h"
#include "bundle/work.h"
#include "core/log.h"
#include "model/settings.h"

namespace banger::bundle {

struct BundleWish {
  std::string suite = "bookworm";
  std::string variant = "debian";
  std::string out; // absolute
  bool force = false;
};

struct BundleBuilt {
  Bundle bundle;
  std::vector<std::string> built; // names of the parts that were made; empty: nothing had changed
};

// Throws Error(usage) for a bad suite or variant, Error(preflight) that names all that is missing,
// Error(failed) with the log of the program that failed. `dirs` tells where the recipe and the
// initrd's init are.
BundleBuilt build_bundle(const BundleWish& wish, const Dirs& dirs, Log& log, OnStage on_stage);

// --- Pure, for tests.

// The inputs of kernel and initrd, as one hash.
std::string boot_inputs(std::string_view suite, std::string_view init, std::string_view modules);

struct BundlePlan {
  bool boot = false; // kernel, kernel-elf, initrd: they belong together
  bool root = false;
  bool operator==(const BundlePlan&) const = default;
};
// `usable` says whether a part's file is there, with its size.
BundlePlan plan_bundle(const Bundle& old, const BundleWish& wish, const std::string& boot_inputs,
                       const std::string& root_inputs,
                       const std::function<bool(const Part&)>& usable);

// Whether a file name is one that a build gives to a part, which clean-up may remove.
bool is_part_file(std::string_view name);

} // namespace banger::bundle
