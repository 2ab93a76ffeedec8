// Trees on this machine's disk: read as they are, and written from a guest that may be hostile.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/handle.h"
#include "guest/tree/spool.h"
#include "guest/tree/standing.h"
#include "guest/tree/tree.h"

namespace banger::guest {

// The file or tree at `path`. Links in the tree are kept as links; `follow` is for the root alone.
// A file's content is what reading it gives, also where its size says nothing (/proc, /sys;
// guest/tree/spool.h has the bound). One that grows meanwhile is copied as it was when it was
// opened; one that shrinks is Error(failed). One of a tree that has no blocks and cannot be read is
// left out, and told by unread(): so are some of /proc and /sys. Where these are mounted below a
// root that is none of theirs, there is an empty directory (apart()). However deep a tree is, few
// descriptors are open, and only the names of the directories on the way are kept in memory.
class DiskSource : public TreeSource {
public:
  DiskSource(std::string path, bool follow);
  std::optional<TreeEntry> next() override;
  size_t read(std::span<char> buffer) override;
  size_t left_out() const override { return left_out_; }
  Unread unread() const override { return unread_; }
  std::vector<std::string> apart() const override { return apart_; }

private:
  struct Level {
    std::string path;
    std::vector<std::string> names;
    size_t next = 0;
  };
  std::optional<TreeEntry> begin();
  // The entry for `name` in `dir`; none if it has gone.
  std::optional<TreeEntry> look(int dir, const std::string& name, const std::string& path);
  std::optional<TreeEntry> open_content(Fd file, TreeEntry entry, const struct stat& st);
  bool descend(const std::string& path);
  size_t read_file(std::span<char> buffer, std::optional<int64_t> offset);
  std::string shown(const std::string& path) const;

  std::string root_;
  bool follow_, begun_ = false, of_kernel_ = false;
  Fd top_; // of a tree
  std::vector<Level> levels_;
  Fd dir_; // of the last level; opened again when something is left in it
  std::map<std::pair<uint64_t, uint64_t>, std::string> linked_;
  Fd file_;
  std::string file_path_;
  std::optional<Spool> spool_; // of a file whose size says nothing
  std::vector<Extent> extents_;
  size_t extent_ = 0;
  int64_t within_ = 0;
  size_t left_out_ = 0;
  Unread unread_;
  std::vector<std::string> apart_;
};

// Writes at DIR/NAME. Nothing is written outside of it, whatever paths and links the entries have:
// every name is opened in its directory, without following a link, those included that were there
// before. The owner is this process's user; set-id bits are dropped, and the bits of its umask.
//
// fresh: it stands under a temporary name (".NAME.banger-XXXXXXXX" in DIR) until finish(); what
// was there must not be a directory. merge: the root is a directory that is there, and each file
// takes its place when it is whole. Destroyed without finish(), a fresh copy goes, and of a merged
// one the file that was being written.
//
// A regular file that was there keeps its owner, group and permissions, all of its names and its
// access list (guest/tree/standing.h); a directory that was there keeps its owner and permissions.
// A device, FIFO or socket is not replaced: Error(failed).
class DiskSink : public TreeSink {
public:
  enum class Way { fresh, merge };
  // `check` is called now and then in work that may take long, and throws to end it.
  DiskSink(const std::string& dir, std::string name, Way way, std::function<void()> check = {});
  ~DiskSink() override;
  void entry(const TreeEntry& entry) override;
  void data(std::string_view bytes) override;
  void finish() override;

private:
  struct Place {
    int dir;
    std::string name;
  };
  Place place_of(const std::string& path);
  int parent_of(const std::string& path);
  Error not_its_own(const std::string& path, const Error& why) const;
  std::string shown(const std::string& path) const;
  void begin_file(const TreeEntry& entry, const Place& place);
  void keep_for_end(const TreeEntry& directory);
  void end_file();
  void settle_file();
  void finish_directories();

  std::string dir_path_, name_, temporary_;
  Way way_;
  std::function<void()> check_;
  mode_t mask_;
  Fd dir_;
  Fd root_; // of a tree
  std::string parent_path_;
  Fd parent_; // of the last entry, below the root
  struct Directory {
    mode_t mode = 0;
    int64_t mtime_ns = 0;
  };
  std::map<std::string, Directory> directories_; // by path, made here, to be finished
  size_t path_bytes_ = 0;                        // of all of them
  bool begun_ = false, finished_ = false;
  // The file that is being written.
  std::unique_ptr<NewContent> file_;
  TreeEntry current_;
  size_t extent_ = 0;
  int64_t within_ = 0;
};

} // namespace banger::guest
