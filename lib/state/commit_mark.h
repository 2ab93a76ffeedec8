// A mark of the last commit of any process, read without a lock or a system call. Private to
// state/.
//
// The log's index (STATE.DB-shm) is memory that all processes share which have the file open. Its
// head says how far the log is committed, and stands there twice; a commit writes the second copy,
// then the first, before it returns (sqlite.org/walformat.html, 2.1 and 2.2). SQLite itself tells
// by it whether anything has changed. So as long as the head is the same, nothing was committed.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

struct sqlite3;

namespace banger::state {

using CommitMark = std::array<uint32_t, 12>; // of a copy, which counts and has checksums

// None where it cannot be told so: a commit is being made, a process died at one, or the head is of
// another form than the one that is known. Only for a file in WAL mode that was read from before.
std::optional<CommitMark> commit_mark(sqlite3* db);

} // namespace banger::state
