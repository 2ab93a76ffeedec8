// How a script of guest/tree/remote_scripts.h is begun in a guest, and what it says of itself.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "guest/tree/remote_pipe.h"

namespace banger::guest {

// The command that runs what is common to all scripts and then these parts, with these words as
// their $1, $2, …
std::string script(std::initializer_list<std::string_view> parts,
                   const std::vector<std::string>& words);

// Begins what a script says of itself, so that what a shell's own start-up files print is told
// apart from it. No guest can know it before.
std::string new_mark();

// Waits for the mark; the words after it are of a script that has begun its work. Throws what kept
// it from that.
std::vector<std::string> begin_script(RemotePipe& pipe, const std::string& mark,
                                      std::string_view doing, const std::string& path);

// Why a script that ended with this status could not do it.
Error refused(std::string_view doing, const std::string& place, int status, const RemotePipe& pipe);

// As printf's %b takes it, on one line.
std::string printf_escaped(std::string_view path);

} // namespace banger::guest
