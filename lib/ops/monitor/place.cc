#include "ops/monitor/place.h"

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "model/message.h"
#include "model/settings_json.h"
#include "ops/common/open.h"
#include "ops/link/link.h"
#include "ops/monitor/pin.h"
#include "ops/net/open_place.h"
#include "ops/release/mapping.h"
#include "ops/release/removal.h"
#include "sys/lines.h"
#include "sys/socket.h"

namespace banger::ops {

std::string to_line(const PlaceRequest& r) {
  return message_line({{"v", message_version},
                       {"do", r.act},
                       {"vm", r.vm},
                       {"op", r.op},
                       {"log_level", r.log_level},
                       {"state_dir", r.dirs.state},
                       {"runtime_root", r.dirs.runtime},
                       {"libexec_dir", r.dirs.libexec},
                       {"settings", to_json(r.settings)}});
}

PlaceRequest parse_place_request(std::string_view line) {
  return read_message(line, [](const Json& j) {
    PlaceRequest r;
    r.act = j.value("do", "");
    r.vm = j.value("vm", "");
    r.op = j.value("op", "");
    r.log_level = j.value("log_level", "info");
    r.dirs.state = j.value("state_dir", "");
    r.dirs.runtime = j.value("runtime_root", "");
    r.dirs.libexec = j.value("libexec_dir", "");
    r.settings = settings_of(j.value("settings", Json::object()));
    return r;
  });
}

namespace {

void act(const PlaceRequest& request) {
  // A removal outlives the VM's own log.
  std::string path = request.act == "remove" ? request.dirs.log_file()
                                             : request.dirs.vm_file(request.vm, "lifecycle.jsonl");
  Log log(path, parse_level(request.log_level), request.op, Log::Directory::given);
  Opened ctx(request.settings, request.dirs, log);
  Vm vm = ctx.state.get_vm(request.vm);
  if (request.act == "pin") return pin_host(ctx, vm);
  if (request.act == "map") return map_root(ctx, vm, places_of(ctx.dirs, ctx.state.tag(), vm));
  if (request.act == "unmap") return unmap_root(ctx, vm);
  if (request.act == "remove") return remove_vm_rest(ctx, vm);
  act_in(*open_place(ctx, vm.net_mode), request.act, vm);
}

} // namespace

int serve_place(int in, int out) {
  Report report{Report::Kind::ready, {}, {}, {}, {}};
  try {
    auto line = sys::LineReader(in).next(Millis(10'000));
    if (!line) throw usage("no request on standard input");
    act(parse_place_request(*line));
  } catch (const Error& e) {
    report = failure_report(e);
  }
  sys::send_all(out, to_line(report));
  return report.error ? exit_status(report.error->code()) : 0;
}

} // namespace banger::ops
