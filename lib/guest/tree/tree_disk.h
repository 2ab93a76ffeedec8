// Trees on this machine's disk: read as they are, and written from a guest that may be hostile.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/handle.h"
#include "guest/tree/tree.h"

namespace banger::guest {

// What lies at `path`, and below it. Links in the tree are kept as links; `follow` is for the root
// alone. A file that shrinks while it is read is Error(failed).
class DiskSource : public TreeSource {
public:
  DiskSource(std::string path, bool follow);
  std::optional<TreeEntry> next() override;
  size_t read(std::span<char> buffer) override;
  size_t left_out() const override { return left_out_; }

private:
  std::optional<TreeEntry> entry_at(const std::string& path);
  std::string full(const std::string& path) const;

  std::string root_;
  bool follow_;
  std::vector<std::string> to_come_; // paths, the next last
  std::map<std::pair<uint64_t, uint64_t>, std::string> linked_;
  Fd file_;
  std::string file_path_;
  std::vector<Extent> extents_;
  size_t extent_ = 0;
  int64_t within_ = 0;
  size_t left_out_ = 0;
};

// Writes at DIR/NAME. Nothing is written outside of it, whatever paths and links the entries have:
// every name is opened in its directory, without following a link, those included that were there
// before. Owner is who runs this; set-id bits are dropped.
//
// fresh: it stands under a temporary name (".NAME.banger-XXXXXXXX" in DIR) until finish(); what
// was there must not be a directory, and is replaced. merge: the root is a directory that is there,
// and each file takes its place when it is whole. Destroyed without finish(), a fresh copy goes,
// and of a merged one the file that was being written.
class DiskSink : public TreeSink {
public:
  enum class Way { fresh, merge };
  DiskSink(const std::string& dir, std::string name, Way way);
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
  std::string shown(const std::string& path) const;
  void keep_for_end(const TreeEntry& directory);
  void end_file();
  void finish_directories();

  std::string dir_path_, name_, temporary_;
  Way way_;
  Fd dir_;
  Fd root_; // of a tree
  std::string parent_path_;
  Fd parent_; // of the last entry, below the root
  struct Directory {
    mode_t mode = 0;
    int64_t mtime_ns = 0;
  };
  std::map<std::string, Directory> directories_; // by path, to be finished
  size_t path_bytes_ = 0;                        // of all of them
  bool begun_ = false, finished_ = false;
  // The file that is being written, under a name of its own beside its place.
  Fd file_;
  TreeEntry current_;
  Place current_place_{-1, {}};
  std::string current_name_;
  size_t extent_ = 0;
  int64_t within_ = 0;
};

} // namespace banger::guest
