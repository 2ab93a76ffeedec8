// Copies of large files: shared extents where the file system can, else only the data, never holes.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "core/handle.h"

namespace banger::sys {

// Makes `to` share all extents with `from` (FICLONE). False if the file system cannot; `to` is
// gone then. Throws for every other failure, `to` gone too.
bool clone_file(const std::string& from, const std::string& to);

// Copies the data of `from`, extent by extent (SEEK_DATA, copy_file_range); holes stay holes.
// `to` must not exist; on failure it is removed. Nothing is synced. `between` is called before each
// piece, and may throw (throw_if_interrupted).
void copy_sparse(const std::string& from, const std::string& to,
                 const std::function<void()>& between = {});

// The fate of the bytes that were copied: those of a temporary file are given back at once, so that
// both files together take little more room than one.
enum class Original { kept, given_back };
// Copies `size` bytes at `offset` of an open file or block device called `from`; long runs of zeros
// become holes, however it has them. `to` must not exist; on failure it is removed. Throws when
// `from` ends before that. Nothing is synced. `between` as above.
void copy_part(int in, const std::string& from, int64_t offset, int64_t size, const std::string& to,
               Original original = Original::kept, const std::function<void()>& between = {});

// Whether a file in `dir` can share extents with `sample`, found by cloning into an unlinked file.
bool can_clone(const std::string& sample, const std::string& dir);

// Keeps about the last `keep` bytes of a log that another process appends to (O_APPEND): cuts the
// front off where the file system can, else gives its blocks back and leaves a hole, or keeps
// nothing where it has become 1 GiB long by holes. Returns how many bytes the file became shorter
// (0 when a hole was left).
int64_t cut_front(int fd, int64_t keep);

} // namespace banger::sys
