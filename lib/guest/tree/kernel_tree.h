// A directory of the kernel's own file systems in a guest (/proc, /sys): no tar reads them as they
// are, since their files' sizes say nothing. They are listed, and then read, many by one command.
#pragma once

#include <deque>
#include <optional>
#include <span>
#include <string>

#include "guest/tree/remote_pipe.h"
#include "guest/tree/tree.h"

namespace banger::guest {

// It gives entries by the rules of model/tree.h, each once: directories, links, files with what can
// be read of them. What cannot be read, or is larger than `most_of_file`, or keeps its reader
// waiting, is left out and told by unread().
class KernelTree {
public:
  static constexpr int64_t most_of_file = int64_t{16} << 20;

  // `listing`: of a script that has begun, list in guest/tree/remote_scripts.h. It is read to its
  // end. Throws Error(failed) for one that is none.
  KernelTree(RemotePipe& listing, std::shared_ptr<Session> session, std::string path, int signals);
  std::optional<TreeEntry> next();
  size_t read(std::span<char> buffer);
  const Unread& unread() const { return unread_; }

private:
  struct File {
    TreeEntry entry;
    bool alone = false; // not with others: it may well fail, and those would with it
  };
  struct Content {
    TreeEntry entry;
    std::string bytes;
  };
  void take_line(RemotePipe& listing, const std::string& line);
  void fetch();
  void read_some(std::span<TreeEntry> files);
  void take(TreeEntry entry, std::string bytes);
  bool take_all(std::span<TreeEntry> files, std::string_view bytes);
  std::pair<std::string, std::string> answer(const std::string& word);
  Error says_something_else() const;

  std::shared_ptr<Session> session_;
  std::string path_;
  int signals_;
  std::optional<RemotePipe> pipe_; // of the reader
  size_t listed_bytes_ = 0;
  std::deque<TreeEntry> places_; // directories and links
  std::deque<File> files_;
  std::deque<Content> ready_;
  Content current_;
  size_t given_ = 0;
  Unread unread_;
};

} // namespace banger::guest
