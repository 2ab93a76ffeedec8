// Trees as tars, as the tars of guests read and write them (archive/tree_stream.h): what libarchive
// reads is held to guest/tree/tree.h's rules here.
#pragma once

#include <string>

#include "archive/tree_stream.h"
#include "core/error.h"
#include "guest/tree/tree.h"

namespace banger::guest {

// Reads what another program wrote. Throws Error(failed) for what is damaged, not plain, beyond a
// bound, or of a kind that is not known.
class TarSource : public TreeSource {
public:
  using Pull = archive::TreeStreamReader::Pull;
  // `root` is what was asked for: a directory, or one thing alone, which is the root whatever its
  // name. A root of another type is refused. `name` is for errors.
  TarSource(Pull pull, TreeEntry::Type root, const std::string& name);
  std::optional<TreeEntry> next() override;
  size_t read(std::span<char> buffer) override;
  size_t left_out() const override { return left_out_; }

private:
  TreeEntry checked(archive::TreeEntry&& entry);
  void drain();
  Error damaged(std::string_view why) const;

  Pull pull_;
  TreeEntry::Type root_;
  std::string name_;
  archive::TreeStreamReader reader_;
  bool any_ = false, ended_ = false, is_file_ = false;
  size_t left_out_ = 0;
  std::vector<Extent> extents_; // of the current file
  size_t extent_ = 0;
  int64_t within_ = 0;
  std::string_view piece_; // of it, not yet read
};

class TarSink : public TreeSink {
public:
  using Push = archive::TreeStreamWriter::Sink;
  TarSink(Push push, archive::TarForm form) : writer_(std::move(push), form) {}
  // An entry without a path, the root, is left out.
  void entry(const TreeEntry& entry) override;
  void data(std::string_view bytes) override;
  void finish() override { writer_.finish(); }

private:
  archive::TreeStreamWriter writer_;
  std::vector<Extent> extents_; // of the current file
  size_t extent_ = 0;
  int64_t within_ = 0;
};

} // namespace banger::guest
