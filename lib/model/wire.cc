#include "model/wire.h"

#include <nlohmann/json.hpp>

#include "model/json_text.h"
#include "model/zone.h"

namespace banger {

namespace {

Json time_or_null(WallTime t) { return t.ns ? Json(to_rfc3339(t)) : Json(nullptr); }

Json text_or_null(const std::string& s) { return s.empty() ? Json(nullptr) : Json(s); }

template <typename T>
Json or_null(const std::optional<T>& v) {
  return v ? Json(*v) : Json(nullptr);
}

void add_limits(JsonText& o, const RateLimits& limits) {
  if (!limits) return o.add_null("limits");
  auto rate = [](int64_t n) { return n ? std::optional(n) : std::nullopt; };
  o.open("limits");
  for (const auto& [place, limit] :
       {std::pair("root", limits.root), {"work", limits.work}, {"net", limits.net}}) {
    o.open(place);
    o.add("bandwidth", rate(limit.bandwidth));
    o.add("ops", rate(limit.ops));
    o.close();
  }
  o.close();
}

} // namespace

std::string to_text(const Vm& vm, const Dirs& dirs, std::string_view zone, const DiskUse& used) {
  JsonText o;
  auto add_time = [&](std::string_view key, WallTime t) {
    t.ns ? o.add(key, to_rfc3339(t)) : o.add_null(key);
  };
  o.add("id", vm.id);
  o.add("name", vm.name);
  o.add("state", name_of(vm.state));
  o.add_or_null("reason", vm.reason);
  o.open("image");
  o.add("id", vm.image_id);
  o.add("name", vm.image_name);
  o.close();
  o.add("cpus", vm.cpus);
  o.add("memory", vm.memory);
  o.open("root");
  o.add("way", name_of(vm.root_way));
  o.add("size", vm.root_size);
  o.add("used", used.root);
  o.close();
  if (vm.work_size) {
    o.open("work");
    o.add("size", vm.work_size);
    o.add("mount", vm.work_mount);
    o.add("used", used.work);
    o.close();
  } else {
    o.add_null("work");
  }
  o.open("net");
  o.add("mode", name_of(vm.net_mode));
  o.add("address", vm.address);
  o.add("reach", vm.reach);
  o.add("prefix", vm.prefix);
  o.add("gateway", vm.gateway);
  o.add("mac", vm.mac);
  if (vm.net_mode == NetMode::bridge)
    o.add("nat", vm.nat);
  else
    o.add_null("nat");
  o.add("dns", full_name(vm.name, zone));
  o.open_list("ports");
  for (const Port& p : vm.ports) {
    o.open_item();
    o.add("proto", p.proto);
    o.add("host_address", p.host_address);
    o.add("host", p.host);
    o.add("guest", p.guest);
    o.close();
  }
  o.close_list();
  o.close();
  o.open("ssh");
  o.add("user", "root");
  o.add("address", vm.reach);
  o.add("port", vm.ssh_port);
  o.add("identity", dirs.identity());
  o.add("known_hosts", dirs.known_hosts());
  o.close();
  o.open("vmm");
  o.add("driver", name_of(vm.vmm));
  o.add_or_null("version", vm.vmm_version);
  vm.accel ? o.add("accel", name_of(*vm.accel)) : o.add_null("accel");
  o.add_or_null("confinement", vm.confinement);
  vm.run&& vm.run->vmm ? o.add("pid", vm.run->vmm.pid) : o.add_null("pid");
  o.add_or_null("api_socket", vm.run ? vm.run->vmm_api_socket : std::string());
  o.close();
  add_limits(o, vm.limits);
  o.open("labels");
  for (const auto& [key, value] : vm.labels) o.add(key, value);
  o.close();
  add_time("created", vm.created);
  add_time("started", vm.started);
  add_time("stopped", vm.stopped);
  o.open("timings");
  o.add("prepare", vm.timings.prepare);
  o.add("vmm", vm.timings.vmm);
  o.add("kernel", vm.timings.kernel);
  o.add("userland", vm.timings.userland);
  o.add("ready", vm.timings.ready);
  o.close();
  o.open("logs");
  o.add("console", dirs.console_log(vm.id));
  o.add("vmm", dirs.vm_file(vm.id, "vmm.log"));
  o.add("lifecycle", dirs.vm_file(vm.id, "lifecycle.jsonl"));
  o.close();
  if (vm.fault) {
    o.open("error");
    o.add("code", vm.fault->code);
    o.add("subject", vm.name);
    o.add("message", vm.fault->message);
    o.add_or_null("hint", vm.fault->hint);
    o.add("log", !vm.fault->log.empty() ? vm.fault->log : dirs.console_log(vm.id));
    o.close();
  } else {
    o.add_null("error");
  }
  return o.take();
}

Json to_json(const Image& image, const Dirs& dirs, std::optional<bool> stale) {
  std::string dir = dirs.image(image.id);
  return {{"id", image.id},
          {"name", image.name},
          {"size", image.size},
          {"used", image.used},
          {"sha256", image.sha256},
          {"source", image.source},
          {"created", time_or_null(image.created)},
          {"vms", image.vms},
          {"packages_hash", text_or_null(image.packages_hash)},
          {"stale", or_null(stale)},
          {"paths",
           {{"root", dirs.image_root(image.id)},
            {"packages", dir + "/packages"},
            {"installed", dir + "/installed"}}}};
}

Json to_json(const Event& e) {
  return {{"time", to_rfc3339(e.time)},
          {"op", e.op},
          {"vm", text_or_null(e.vm)},
          {"type", e.type},
          {"detail", Json::parse(e.detail, nullptr, false)}};
}

} // namespace banger
