// A cell: the namespaces in which a process sees nothing of its host but what it was given, no
// file, no other process, no System V or POSIX message queue or shared memory. It is the wall in
// front of Landlock (sys/confine.h). A user without rights gets a user namespace around it, in
// which he keeps his number.
//
// The first process of a cell is no program of the VMM's kind but a small one of this program's
// own: the kernel keeps signals from a first process that it has no handler for. It has no file and
// no right, waits for the other one's end, and ends with it; the kernel ends all that is in a cell
// with its first process. The mounts go with the last process.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/handle.h"
#include "sys/confine.h"

namespace banger::sys {

inline constexpr const char* cell_word = "--cell";
// The first process's name.
inline constexpr const char* cell_name = "banger-cell";

// Called by a small program of one thread that is to become another one. Where its command line
// begins with `cell_word` and a directory, that is whose cell it makes: the first process keeps the
// command line, by which others tell it (sys/cells.h).
//
// Returns nothing in a new process, the cell's only one beside the first: a child of this process's
// parent, in a session of its own with a keyring of its own, and in the directory in which this one
// was, which is no root and is among the reaches. This process has then told the new one's pid on
// `report`, in a line, and in a second one the pid of the first, and has ended with status 0. When
// the first has ended, so have all in the cell.
//
// Returns in this process, with the cause, where the host forbids such namespaces; then nothing has
// changed, and nothing was told on `report`. Throws where it fails for any other cause.
std::optional<Error> enter_cell(const std::vector<Reach>& reaches, const Fd& report);

// From now on this process has no capabilities, and gets none by a program that it executes, were
// it root's. `ports`: it keeps the one to bind ports below 1024, if it has it.
void drop_capabilities(bool ports);

} // namespace banger::sys
