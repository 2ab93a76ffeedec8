#include "ops/link/link.h"

#include <array>

#include <nlohmann/json.hpp>

#include "guest/identity/base64.h"
#include "model/message.h"

namespace banger::ops {

namespace {

constexpr std::array<std::string_view, 6> kinds{"locked", "stage", "ready",
                                                "failed", "ended", "done"};

} // namespace

Report stage_report(std::string word, std::string text, std::string doing) {
  return {Report::Kind::stage, std::move(word), std::move(text), {}, {}, {}, std::move(doing)};
}

Report failure_report(const Error& e) { return {Report::Kind::failed, {}, {}, e, {}}; }

std::string to_line(const MonitorRequest& r) {
  return message_line({{"v", message_version},
                       {"vm", r.vm},
                       {"op", r.op},
                       {"log_level", r.log_level},
                       {"state_dir", r.state_dir},
                       {"runtime_root", r.runtime_root},
                       {"libexec_dir", r.libexec_dir},
                       {"kernel", r.kernel},
                       {"initrd", r.initrd},
                       {"vmm", name_of(r.vmm)},
                       {"vmm_binary", r.vmm_binary},
                       {"accel", name_of(r.accel)},
                       {"tsc_khz", r.tsc_khz},
                       {"settings", to_json(r.settings)},
                       {"begun_ns", r.begun_ns},
                       {"adopt", r.adopt},
                       {"saved", r.saved}});
}

MonitorRequest parse_monitor_request(std::string_view line) {
  return read_message(line, [](const Json& j) {
    MonitorRequest r;
    r.vm = j.value("vm", "");
    r.op = j.value("op", "");
    r.log_level = j.value("log_level", "info");
    r.state_dir = j.value("state_dir", "");
    r.runtime_root = j.value("runtime_root", "");
    r.libexec_dir = j.value("libexec_dir", "");
    r.kernel = j.value("kernel", "");
    r.initrd = j.value("initrd", "");
    r.vmm = parse_vmm_kind(j.value("vmm", "qemu"));
    r.vmm_binary = j.value("vmm_binary", "");
    r.accel = parse_accel(j.value("accel", "tcg"));
    r.tsc_khz = j.value("tsc_khz", int64_t{0});
    r.settings = settings_of(j.value("settings", Json::object()));
    // A verb of a build before handed these two on, and no other.
    Settings& s = r.settings;
    s.net_isolated_outbound = j.value("isolated_outbound", s.net_isolated_outbound);
    s.vm_stop_timeout = Millis(j.value("stop_timeout_ms", s.vm_stop_timeout.count()));
    r.begun_ns = j.value("begun_ns", int64_t{0});
    r.adopt = j.value("adopt", false);
    r.saved = j.value("saved", "");
    return r;
  });
}

std::string to_line(const Report& r) {
  Json j = {{"v", message_version}, {"event", kinds[static_cast<size_t>(r.kind)]}};
  if (r.id) j["id"] = *r.id;
  if (!r.stage.empty()) j["stage"] = r.stage;
  if (!r.text.empty()) j["text"] = r.text;
  if (!r.doing.empty()) j["doing"] = r.doing;
  if (!r.state.empty()) j["state"] = r.state;
  if (r.memory)
    j["memory"] = {
        {"total", r.memory->total}, {"free", r.memory->free}, {"available", r.memory->available}};
  if (r.counters) j["counters"] = to_json(*r.counters);
  if (r.error)
    j["error"] = {{"code", name_of(r.error->code())},
                  {"message", r.error->message()},
                  {"subject", r.error->subject()},
                  {"hint", r.error->hint()},
                  {"log", r.error->log()}};
  return message_line(j);
}

Json to_json(const vmm::Counters& c) {
  Json disks = Json::array(), net, exits;
  for (const vmm::DiskCounters& d : c.disks)
    disks.push_back({{"name", d.name},
                     {"read", d.read},
                     {"written", d.written},
                     {"reads", d.reads},
                     {"writes", d.writes},
                     {"flushes", d.flushes},
                     {"errors", d.errors}});
  if (c.net)
    net = {{"received", c.net->received}, {"sent", c.net->sent}, {"errors", c.net->errors}};
  if (c.exits) exits = *c.exits;
  return {{"disks", disks}, {"net", net}, {"exits", exits}};
}

namespace {

vmm::Counters counters_of(const Json& j) {
  vmm::Counters c;
  for (const Json& d : j.at("disks"))
    c.disks.push_back({d.at("name"), d.at("read"), d.at("written"), d.at("reads"), d.at("writes"),
                       d.at("flushes"), d.at("errors")});
  if (const Json& n = j.at("net"); !n.is_null())
    c.net = {n.at("received"), n.at("sent"), n.at("errors")};
  if (const Json& n = j.at("exits"); !n.is_null()) c.exits = n.get<int64_t>();
  return c;
}

} // namespace

Report parse_report(std::string_view line) {
  return read_message(line, [](const Json& j) {
    Report r;
    std::string kind = j.value("event", "");
    for (size_t i = 0; i < kinds.size(); i++)
      if (kinds[i] == kind) r.kind = static_cast<Report::Kind>(i);
    r.stage = j.value("stage", "");
    r.text = j.value("text", "");
    r.doing = j.value("doing", "");
    r.state = j.value("state", "");
    if (j.contains("id")) r.id = j.at("id").get<int64_t>();
    if (j.contains("memory")) {
      const Json& m = j.at("memory");
      r.memory = {m.at("total").get<int64_t>(), m.at("free").get<int64_t>(),
                  m.at("available").get<int64_t>()};
    }
    if (j.contains("counters")) r.counters = counters_of(j.at("counters"));
    if (r.kind == Report::Kind::failed)
      r.error = told_error(j.value("error", Json::object()), "the monitor gave no reason");
    return r;
  });
}

std::string to_line(const Ask& a) {
  Json j = {{"v", message_version}, {"verb", a.verb}, {"timeout_ms", a.timeout.count()}};
  if (a.id) j["id"] = a.id;
  if (!a.data.empty()) j["data"] = guest::base64(a.data);
  if (a.exact) j["exact"] = true;
  return message_line(j);
}

Ask parse_ask(std::string_view line) {
  return read_message(line, [](const Json& j) {
    auto data = guest::from_base64(j.value("data", ""));
    if (!data) throw unreadable_message();
    return Ask{j.value("verb", ""), Millis(j.value("timeout_ms", int64_t{0})), std::move(*data),
               j.value("id", int64_t{0}), j.value("exact", false)};
  });
}

} // namespace banger::ops
