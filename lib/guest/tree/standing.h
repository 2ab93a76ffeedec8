// A file's content on its way to its place, where another file may stand already: that one gets the
// content and keeps all else, as if it had been written into.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <sys/stat.h>

#include "core/handle.h"

namespace banger::guest {

// The file that stands at a place; none where nothing does. No link is followed.
std::optional<struct stat> find_standing(int dir, const std::string& name,
                                         const std::string& shown);
// Throws Error(failed) for one that is neither a file nor a link: no copy takes the place of a
// device, a FIFO or a socket.
void check_replaceable(const std::optional<struct stat>& there, const std::string& shown);

// Order: construct, write, settle; destroyed without settle(), the place is as it was.
//
// It is written under a name of its own beside its place, and renamed when it is whole, with the
// old file's owner, group and permissions. Where that would lose more (other names, an access list)
// or cannot be done (the owner may not be given away, the directory not be written, something is
// mounted on the file), the whole content is written into the old file. A file that has no blocks,
// so that nothing is lost, is written into from the beginning: it is empty, or one of /proc or
// /sys; an empty one is emptied again. Set-id bits do not stay.
class NewContent {
public:
  // `temporary` is a name that nothing has in `dir`, which stays the caller's and open.
  NewContent(int dir, std::string name, std::string temporary, std::string shown);
  ~NewContent();
  NewContent(const NewContent&) = delete;
  NewContent& operator=(const NewContent&) = delete;

  void write(int64_t offset, std::string_view data);
  // `mode` is that of a file that was not there. `check` as in DiskSink.
  void settle(int64_t size, mode_t mode, int64_t mtime_ns, const std::function<void()>& check);

private:
  bool takes_over();
  void write_into_old(int64_t size, int64_t mtime_ns, const std::function<void()>& check);

  int dir_;
  std::string name_, temporary_, shown_;
  std::optional<struct stat> there_; // a regular file
  enum class Way { beside, elsewhere, into } way_ = Way::beside;
  Fd file_;
  bool settled_ = false;
};

} // namespace banger::guest
