#include "ops/net/record.h"

#include "model/wire.h"
#include "ops/common/places.h"

namespace banger::ops {

namespace {

constexpr const char* key = "net";

Json to_json(const ProcessId& id) {
  return {{"pid", id.pid}, {"start_time", id.start_time}, {"boot_id", id.boot_id}};
}

ProcessId process_of(const Json& j) {
  if (!j.is_object()) return {};
  return {j.value("pid", 0), j.value("start_time", uint64_t{0}), j.value("boot_id", "")};
}

} // namespace

NetRecord read_net(state::State& state) {
  NetRecord r;
  auto text = state.fact(key);
  if (!text) return r;
  Json j = Json::parse(*text, nullptr, false);
  if (!j.is_object()) return r;
  r.dir = j.value("dir", "");
  r.subnet = j.value("subnet", "");
  r.holder = process_of(j.value("holder", Json()));
  r.slirp = process_of(j.value("slirp", Json()));
  r.holder_ready = j.value("holder_ready", true); // a record of the build before has none
  r.slirp_ready = j.value("slirp_ready", true);
  r.guard = j.value("guard", 0);
  r.net_id = j.value("net_id", uint64_t{0});
  r.taps = j.value("taps", std::map<std::string, int>{});
  return r;
}

void write_net(state::State& state, const NetRecord& r) {
  Json j = {{"dir", r.dir},
            {"subnet", r.subnet},
            {"holder", to_json(r.holder)},
            {"slirp", to_json(r.slirp)},
            {"holder_ready", r.holder_ready},
            {"slirp_ready", r.slirp_ready},
            {"guard", r.guard},
            {"net_id", r.net_id},
            {"taps", r.taps}};
  state.set_fact(key, j.dump(), outlives_of_runtime(r.dir));
}

} // namespace banger::ops
