// Files and trees between this machine and VMs, or between two VMs (streamed through, never stored
// here).
//
// Names come out as with cp -r and scp: into a directory that is there goes a thing under its own
// name, else it gets the target's name; "DIR/." is the content of DIR. A file is written through a
// link that is there; here not with `deep`, since a guest may have sent that link the last time.
// Permissions, times to what the guest's tar can, links and holes are kept; owners only between
// VMs. A file, or a tree that is new at the target, takes its place at once when it is whole.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "guest/tree/tree.h"
#include "ops/common/context.h"

namespace banger::ops {

// "NAME:PATH" in a VM ("NAME:" is its home directory), a path here ("./a:b" has no VM), or "-".
struct CopyPlace {
  std::optional<std::string> vm;
  std::string path;
  bool is_stream() const { return !vm && path == "-"; }
  bool operator==(const CopyPlace&) const = default;
};
// Pure. Throws Error(usage) for an empty word.
CopyPlace parse_copy_place(const std::string& word);

struct CopyOptions {
  bool deep = false; // directories too
  bool into = false; // the target must be a directory: there are several sources
};

using guest::CopyTotals;

// Throws Error(usage) where no VM is in it; otherwise as Error tells. A signal that would end this
// process ends it when what was half done has been cleared away. `moved` is told how far it is,
// and null at the end.
CopyTotals ssh_copy(Reader& in, const CopyPlace& from, const CopyPlace& to,
                    const CopyOptions& options,
                    const std::function<void(const CopyTotals*)>& moved);

} // namespace banger::ops
