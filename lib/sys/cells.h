// Cells that run (sys/cell.h), as they show from outside.
//
// Whose a cell is, is what its first process says, which is made by us and kept from all others in
// there: not the working directory of the others, nor a name, which they choose. It says so as long
// as it lives, whoever has made it or followed it and died.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/handle.h"
#include "core/units.h"
#include "model/vm.h"

namespace banger::sys {

struct Cell {
  ProcessId first; // its end is the end of all in the cell
  std::string dir; // as its maker was told it; empty: it is ending, and does not say so any more
};

// Those of this user, but for cells that were made without such a word. A process is taken for the
// first one of a cell that has the name of one and is the first in a process namespace right below
// this one: whoever makes that up, with what rights he has on this host, has himself ended.
std::vector<Cell> list_cells();

// Readable once all in the cell of `dir` have ended; none where there is no such cell or directory.
std::optional<Fd> open_cell(const std::string& dir);
// Ends the cell of `dir`, and waits until all in it have ended, and in any cell that is just
// ending. One that does not die in `patience` is Error(failed). Nothing happens where there is no
// such directory: it tells what is the caller's only as long as it stands.
void end_cell(const std::string& dir, Millis patience);

// The identity of the process namespace that a process is in; 0 where that cannot be told.
uint64_t cell_of(int pid);
// Whether a process that runs is in no other process namespace than this one, nor below it, or in
// one that is told and is not `cell`. False where that cannot be told.
bool is_outside_of(int pid, uint64_t cell);

} // namespace banger::sys
