// The words that may come next on a command line, for the shells' completion (completions/).
#pragma once

#include <span>
#include <string>

#include "cli/verb.h"

namespace banger::cli {

// `words` are those after the program up to the cursor; the last one, maybe empty, is being typed.
// One candidate a line, "WORD\tDESCRIPTION" or bare "WORD", each beginning with what is typed; or
// the single line ":files" or ":directories": those are the shell's own business. Never throws for
// what stands on the line.
std::string complete(const Tool& tool, std::span<const std::string> words, const Dirs* dirs);

} // namespace banger::cli
