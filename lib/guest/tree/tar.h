// Trees as tars, as the tars of guests read and write them (archive/reader.h, archive/writer.h):
// what libarchive reads is held to guest/tree/tree.h's rules here.
#pragma once

#include <string>

#include "archive/reader.h"
#include "archive/writer.h"
#include "core/error.h"
#include "guest/tree/tree.h"

namespace banger::guest {

// Reads a tar that another program wrote. Throws Error(failed) for one that is damaged, not plain,
// beyond a bound, or of a kind that is not known.
class TarSource : public TreeSource {
public:
  using Pull = archive::Pull;
  // `root` is the type that was asked for: S_IFDIR, or S_IFREG or S_IFLNK, one thing alone, which
  // is the root whatever its name. A root of another type is refused. `name` is for errors.
  TarSource(Pull pull, mode_t root, const std::string& name);
  std::optional<TreeEntry> next() override;
  size_t read(std::span<char> buffer) override;
  size_t left_out() const override { return left_out_; }

private:
  void check(TreeEntry& entry);
  Error damaged(std::string_view why) const;

  mode_t root_;
  std::string name_;
  archive::Reader reader_;
  bool any_ = false, is_file_ = false;
  size_t left_out_ = 0;
  std::vector<Extent> extents_; // of the current file
  size_t extent_ = 0;
  int64_t within_ = 0;
  std::string_view piece_; // of it, not yet read
};

class TarSink : public TreeSink {
public:
  using Push = archive::Writer::Sink;
  TarSink(Push push, archive::TarForm form) : writer_(std::move(push), form) {}
  // An entry without a path, the root, is left out.
  void entry(const TreeEntry& entry) override;
  void data(std::string_view bytes) override;
  void finish() override { writer_.finish(); }

private:
  archive::Writer writer_;
  std::vector<Extent> extents_; // of the current file
  size_t extent_ = 0;
  int64_t within_ = 0;
};

} // namespace banger::guest
