#include "disk/mapper.h"

#include "disk/dm.h"
#include "sys/file.h"
#include "sys/lines.h"

namespace banger::disk {

namespace {

Mapped act(const MapRequest& request) {
  require_device_mapper();
  if (request.act == "attach") return attach(request.plan);
  if (request.act == "detach")
    detach(request.plan.mapping);
  else if (request.act != "check")
    throw usage("unknown request '{}'", request.act);
  return {};
}

} // namespace

int serve_mapper(int in, int out) {
  std::expected<Mapped, Error> answer;
  try {
    auto line = sys::LineReader(in).next(Millis(10'000));
    if (!line) throw usage("no request on standard input");
    answer = act(parse_map_request(*line));
  } catch (const Error& e) {
    answer = std::unexpected(e);
  }
  sys::write_all(out, to_line(answer));
  return answer ? 0 : exit_status(answer.error().code());
}

} // namespace banger::disk
