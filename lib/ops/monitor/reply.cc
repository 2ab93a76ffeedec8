#include "ops/monitor/reply.h"

namespace banger::ops {

void Reply::send(Report r) const {
  if (id_) r.id = id_;
  if (auto here = peer_.lock()) here->send(to_line(r));
}

void Reply::done(const std::string& state) const {
  if (id_) return send({Report::Kind::done, {}, {}, {}, state});
  // A verb of an earlier build waits for this word; its stop waits for the VM's end alone.
  if (verb_ == "publish" || verb_ == "unpublish") send(stage_report(verb_, {}));
}

void Reply::done(const vmm::GuestMemory& memory) const {
  Report r{Report::Kind::done, {}, {}, {}, {}};
  r.memory = memory;
  send(std::move(r));
}

void Reply::done(const vmm::Counters& counters) const {
  Report r{Report::Kind::done, {}, {}, {}, {}};
  r.counters = counters;
  send(std::move(r));
}

void Reply::tell(const std::string& stage, const std::string& text) const {
  send(stage_report(stage, text));
}

void Reply::refuse(const Error& why) const { send(failure_report(why)); }

} // namespace banger::ops
