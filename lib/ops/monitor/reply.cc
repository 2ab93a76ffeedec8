#include "ops/monitor/reply.h"

namespace banger::ops {

void Reply::send(Report r) const {
  if (id_) r.id = id_;
  if (auto here = peer_.lock()) here->send(to_line(r));
}

void Reply::done(const std::string& state) const {
  if (id_) return send({Report::Kind::done, {}, {}, {}, state});
  // A verb of a build before waits for this word, and for nothing where it stops the VM.
  if (verb_ == "publish" || verb_ == "unpublish") send(stage_report(verb_, {}));
}

void Reply::refuse(const Error& why) const { send(failure_report(why)); }

} // namespace banger::ops
