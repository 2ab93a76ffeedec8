// On whose behalf banger-helper works, and how it gets rid of all else that he gave it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "helper/limits.h"
#include "sys/host_records.h"

namespace banger::helper {

struct Caller {
  uid_t uid = 0; // 0: root for himself
  gid_t gid = 0;
  // Beside that: his process's; of one who comes by sudo, those of /etc/group.
  std::vector<gid_t> groups = {};
};

// Who it is: by the process's own user, where the file has capabilities; by what sudo says, where
// that is root. Makes the process root's, so that he can neither stop nor end it, and nothing that
// it was started with may make it wait, fail half-way, or do otherwise than for root: descriptors,
// a pipe that nobody reads, limits, a mask, signals, priorities, a directory, the environment, the
// terminal, his control group. It ends after a minute, whatever it does. Error(preflight) without
// the rights for that.
Caller settle_in();

// Throws Error(preflight) for one whom root's file does not name.
void require_allowed(const Caller& caller, const Limits& limits);

// As long as it lives, files are opened with his rights, and none beyond them.
class AsCaller {
public:
  explicit AsCaller(const Caller& caller);
  ~AsCaller(); // ends the process where it cannot go back
  AsCaller(const AsCaller&) = delete;
  AsCaller& operator=(const AsCaller&) = delete;

private:
  bool other_;
};

// The line in which his requests stand, so that of each user one at a time is in the way of
// others'.
class Turn {
public:
  // A place in it. Throws Error(conflict) where he has `most` already.
  Turn(const Caller& caller, size_t most);
  // Until it is his first one's turn: for as long as this lives.
  void await();
  // The next one's turn begins; the place is kept.
  void leave();

private:
  Fd file_;
};

// The owners of states' tags: whoever was the first in this boot to have something made with it.
class Tags {
public:
  Tags();
  // Throw Error(usage) for what is none, Error(conflict) for another's, Error(failed) where the
  // record of it does not say whose it is: then it is nobody's. Root may have each, and learns of
  // such a record by a claim. The first one makes it his.
  void claim(const Caller& caller, const std::string& tag);
  void require_own(const Caller& caller, const std::string& tag) const;

private:
  std::optional<uid_t> find_owner(const std::string& tag) const;

  sys::HostRecords owners_;
};

} // namespace banger::helper
