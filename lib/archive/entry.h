// libarchive's view of an entry made ours. For this room's own files.
#pragma once

#include <string>

#include "archive/handle.h"
#include "archive/tree_entry.h"

namespace banger::archive {

// Of the archive `name`.
Error leads_out(std::string_view path, std::string_view name);

// `path` made plain, as archive/tree.h says; `name` is the archive's, for errors.
std::string plain_path(std::string_view path, std::string_view name);

// Throws Error(failed) for an entry without a name, or with a path that leads out of the tree.
TreeEntry tree_entry(archive_entry* entry, const std::string& name);

} // namespace banger::archive
