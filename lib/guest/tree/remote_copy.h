// The guest's side of a copy: its own tar, at the other end of a command over ssh, so that nothing
// has to be installed there. Works with GNU tar and busybox.
//
// Paths of a guest are as in a shell there: relative ones start at the home directory, "" is that
// itself. A thing takes its place under its own name at once, when all of it has come. So does each
// file of a directory copied into an old one; the old files there keep owner and permissions.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "guest/tree/kernel_tree.h"
#include "guest/tree/remote_pipe.h"
#include "guest/tree/spool.h"
#include "guest/tree/tar.h"

namespace banger::guest {

// The thing that is copied, as far as the names at the target depend on it.
struct CopyItem {
  enum class Kind { file, directory, link } kind = Kind::file;
  std::string name; // the last name of its path; "." for the content of a directory
};

// The kind that a guest says it sends, so far as it was asked for: a directory or a link only with
// `deep`, and only a directory for a path that ends as one. Pure. Throws Error(failed).
CopyItem::Kind sent_kind(const std::string& word, const std::string& path, bool deep);

// It gives only entries that were asked for, whatever the guest says and sends: the root is of
// kind().
class RemoteTreeSource : public TreeSource {
public:
  // A file that the guest's tar cannot read is an Error(failed) at the end at the latest. Throws
  // Error(not_found) for a path that is not there, Error(failed) for a directory without `deep`,
  // Error(preflight) in a guest without tar.
  RemoteTreeSource(Session session, const std::string& path, bool deep, int signals);
  ~RemoteTreeSource() override;
  CopyItem::Kind kind() const { return kind_; }
  // A file that the guest's tar gave as empty, but that has something when it is read (/proc,
  // /sys), comes again at the end, whole.
  std::optional<TreeEntry> next() override;
  size_t read(std::span<char> buffer) override;
  size_t left_out() const override;
  Unread unread() const override;
  std::vector<std::string> apart() const override { return apart_; }

private:
  class FilesBelow;
  void read_apart(size_t lines);
  size_t pull(std::span<char> buffer);
  TreeEntry sized(TreeEntry entry) const;
  void doubt(const TreeEntry& entry);
  void check_doubted();

  std::shared_ptr<Session> session_;
  std::string path_, mark_;
  int signals_;
  RemotePipe pipe_;
  CopyItem::Kind kind_;
  std::optional<TreeEntry> alone_; // one file that comes without a tar
  std::unique_ptr<TarSource> tar_;
  std::unique_ptr<KernelTree> kernel_;
  std::vector<std::string> apart_;
  std::vector<TreeEntry> doubted_;
  size_t doubted_bytes_ = 0;
  std::unique_ptr<FilesBelow> again_; // reads those that are left of them
  std::optional<Spool> spool_;        // of the current entry
  bool by_gnu_ = false, ended_ = false, told_ = false;
};

class RemoteTreeSink : public TreeSink {
public:
  // `into`: the target must be a directory. Throws Error(failed) where that cannot be.
  RemoteTreeSink(Session session, const std::string& path, const CopyItem& item, bool into,
                 int signals);
  // Of one that was not finished nothing is left when this returns, unless the guest takes seconds.
  ~RemoteTreeSink() override;
  void entry(const TreeEntry& entry) override;
  void data(std::string_view bytes) override { tar_->data(bytes); }
  void finish() override;

private:
  void push(std::string_view bytes);

  std::string path_, mark_;
  RemotePipe pipe_;
  std::unique_ptr<TarSink> tar_;
};

// A file in the guest from bytes whose number is not known before: `pull` gives them, 0 at the end.
// Throws as RemoteTreeSink does.
int64_t write_remote_file(Session session, const std::string& path, int signals,
                          const TarSource::Pull& pull);
// The other way round. A directory is an Error(failed) of EISDIR.
int64_t read_remote_file(Session session, const std::string& path, int signals,
                         const TarSink::Push& push);

} // namespace banger::guest
