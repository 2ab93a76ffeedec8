// File trees in tars and Debian packages: read entry by entry, and written as one tar.
//
// Paths are relative and plain: no leading "./" or "/", no trailing "/", "" for the tree's root. An
// entry whose path has ".." is Error(failed). Nothing here touches the file system but to read a
// package. Names are bytes, UTF-8 where the archive's form wants a character set.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include <sys/types.h>

namespace banger::archive {

struct TarEntry {
  std::string path;
  mode_t mode = 0;    // type and permissions
  std::string target; // of a symbolic link, or the path that a hard link shares
  bool hard_link = false;
};

class TarReader {
public:
  // The file tree of a Debian package.
  static TarReader of_package(const std::string& path);
  // A tar, compressed or not, from a descriptor that stays the caller's; `name` is for errors.
  static TarReader of_stream(int fd, const std::string& name);
  TarReader(TarReader&&) noexcept;
  ~TarReader();

  // The next entry; none at the end.
  std::optional<TarEntry> next();
  // The current entry's content.
  std::string content();

private:
  friend class TarWriter;
  struct Impl;
  explicit TarReader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

class TarWriter {
public:
  using Sink = std::function<void(std::string_view)>;
  // Times later than `newest` (seconds since the epoch) are written as `newest`.
  TarWriter(Sink sink, int64_t newest);
  ~TarWriter();
  TarWriter(const TarWriter&) = delete;
  TarWriter& operator=(const TarWriter&) = delete;

  // The reader's current entry with its owner, times and attributes, at `path`; its content is read
  // from the reader, or is `content` where given.
  void copy(TarReader& reader, const std::string& path,
            const std::optional<std::string>& content = {});
  // What root owns. `content` of a symbolic link is its target.
  void add(const std::string& path, mode_t mode, std::string_view content);
  // Whether something was written at `path`.
  bool has(const std::string& path) const { return written_.contains(path); }
  // Ends the tar. Without it the tar is broken, and meant to be seen so.
  void finish();

private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
  std::set<std::string> written_;
};

} // namespace banger::archive
