// The answer to a question of a verb: given once, at any time, and lost where the verb has gone.
#pragma once

#include <memory>
#include <string>

#include "ops/link/link.h"
#include "sys/line_server.h"

namespace banger::ops {

class Reply {
public:
  Reply(const std::shared_ptr<sys::LineServer::Client>& client, const Ask& ask)
      : peer_(client), verb_(ask.verb), id_(ask.id) {}

  // It is done; after a stop, a pause or a resume `state` is the VM's state then.
  void done(const std::string& state = {}) const;
  void done(const vmm::GuestMemory& memory) const;
  void done(const vmm::Counters& counters) const;
  void refuse(const Error& why) const;
  // A stage, to this verb alone; the answer is still to come.
  void tell(const std::string& stage, const std::string& text) const;

private:
  void send(Report r) const;

  sys::LineServer::Peer peer_;
  std::string verb_;
  int64_t id_; // 0: a verb without one, which is of an earlier build or waits for no answer
};

} // namespace banger::ops
