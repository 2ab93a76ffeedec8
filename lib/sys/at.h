// Names inside of an open directory, for trees that come from somebody who is not trusted: each
// call takes one name without a slash and follows no symbolic link, so that a caller which walks a
// path name by name from a directory never leaves it.
//
// `shown` is what an error quotes. Failures throw Error that keeps the errno.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "core/handle.h"

namespace banger::sys {

// Opens a path below `dir` ("" is `dir` itself) in one call, however deep it is. It follows no link
// and never leaves `dir` by "..". Without O_PATH, O_DIRECTORY or the like it may wait for a FIFO.
Fd open_below(int dir, const std::string& path, int flags, const std::string& shown);
// A directory that is there.
Fd open_dir_at(int dir, const std::string& name, const std::string& shown);
// The names in one that is open, without "." and "..", sorted.
std::vector<std::string> names_in(int dir, const std::string& shown);
// One that may be there already; never a link to one. True if it was not.
bool make_dir_at(int dir, const std::string& name, mode_t mode, const std::string& shown);
// A new file, for reading and writing.
Fd create_at(int dir, const std::string& name, mode_t mode, const std::string& shown);
void symlink_at(const std::string& target, int dir, const std::string& name,
                const std::string& shown);
// A second name for a file; where `from` is a link, for the link itself.
void link_at(int from_dir, const std::string& from, int dir, const std::string& name,
             const std::string& shown);
// Replaces an old `name`, unless that is a directory.
void rename_at(int from_dir, const std::string& from, int dir, const std::string& name,
               const std::string& shown);
bool remove_at(int dir, const std::string& name);

void write_at(int fd, int64_t offset, std::string_view data, const std::string& shown);
// Permissions and time of modification of an open file.
void set_mode_and_time(int fd, mode_t mode, int64_t mtime_ns, const std::string& shown);
// The time alone, of a file that may be another's or have none: nothing is lost where it fails.
void keep_time(int fd, int64_t mtime_ns);
void set_link_time_at(int dir, const std::string& name, int64_t mtime_ns);

} // namespace banger::sys
