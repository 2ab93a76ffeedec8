// A guest that is saved for a verb. It stands still while its VMM writes its memory, and on for as
// long as the verb is connected: the verb copies the disks meanwhile. When the verb asks for it, or
// has gone, by whatever, the guest goes on; but for one that stood still on request before.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "core/log.h"
#include "ops/common/places.h"
#include "ops/monitor/reply.h"
#include "ops/monitor/standstill.h"
#include "ops/monitor/vmm.h"
#include "sys/line_server.h"

namespace banger::ops {

class Saving {
public:
  using Client = std::shared_ptr<sys::LineServer::Client>;

  Saving(sys::Loop& loop, Log& log, Vmm& vmm, Standstill& standstill, const Places& places)
      : loop_(loop), log_(log), vmm_(vmm), standstill_(standstill), places_(places) {}
  ~Saving() { loop_.cancel(tell_); }
  Saving(const Saving&) = delete;
  Saving& operator=(const Saving&) = delete;

  // The guest runs, or stands still on request. Its memory goes to the VM's memory_dir(), whatever
  // directory the verb names. The reply is given when it is there, and until then the verb is told
  // every second that this lives: a large memory takes long. Error(conflict) where it is being
  // saved already.
  void begin(const Client& verb, const Reply& reply);
  // The guest stands still now, or for another reason, or runs.
  void on_standstill();
  void on_leave(const Client& client);
  // Whether the guest has stood still for this verb since its memory was begun to be written; where
  // it has not, `reply` refuses.
  bool holds_for(const Client& verb, const Reply& reply) const;
  // The guest ends, or is to end.
  void end(const Error& why);

private:
  void save();
  void tell_again();
  void settle(const std::optional<Error>& fault);
  void let_go();

  sys::Loop& loop_;
  Log& log_;
  Vmm& vmm_;
  Standstill& standstill_;
  const Places& places_;
  sys::LineServer::Peer verb_;
  std::optional<Reply> reply_; // until it was given
  sys::Loop::Timer tell_ = 0;  // the verb again that it is waited for
  bool is_writing_ = false;
  std::optional<int> moves_; // Standstill's, when its memory was begun to be written
};

} // namespace banger::ops
