// A tree of files (model/tree.h) out of a source, a disk or a guest's tar, into a sink, the same.
//
// The root is a directory, a file or a link. Sources keep to the rules of model/tree.h whatever
// they read, so that sinks can rely on it; data lies within a file's size. Devices, sockets and
// FIFOs are left out by sources and counted.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/tree.h"

namespace banger::guest {

// The most that a file may be in; one that has more holes is taken as having none.
inline constexpr size_t most_extents = 100'000;

// What a source could not read, and left out: only of the kernel's own file systems, where that is
// how they are. Elsewhere it is an error at once.
struct Unread {
  size_t count = 0;
  std::vector<std::string> first; // for people: "'mm/demote': Permission denied"
  void add(std::string what);
};

class TreeSource {
public:
  virtual ~TreeSource() = default;
  // The next entry; none at the end.
  virtual std::optional<TreeEntry> next() = 0;
  // The current file's data, extent after extent; 0 at the end of it.
  virtual size_t read(std::span<char> buffer) = 0;
  // Things that a copy cannot hold.
  virtual size_t left_out() const = 0;
  virtual Unread unread() const { return {}; }
  // Directories below the root, of which no other is a part, whose content was left out: a kernel's
  // own file systems (/proc, /sys) are mounted there, and it is no tree that was asked for. Those
  // of a guest are any bytes without a line end.
  virtual std::vector<std::string> apart() const { return {}; }
};

class TreeSink {
public:
  virtual ~TreeSink() = default;
  virtual void entry(const TreeEntry& entry) = 0;
  // As much as entry.data says, in order, before the next entry.
  virtual void data(std::string_view bytes) = 0;
  // All was there. Without it nothing of a fresh copy stays.
  virtual void finish() = 0;
};

struct CopyTotals {
  int64_t files = 0, bytes = 0; // data that moved
  size_t left_out = 0;
  Unread unread;
  std::vector<std::string> apart;
};
// Moves everything but the last step, sink.finish(): the caller knows whether the source is to be
// believed. `moved` is called now and then.
void copy_tree(TreeSource& source, TreeSink& sink, CopyTotals& totals,
               const std::function<void()>& moved);

} // namespace banger::guest
