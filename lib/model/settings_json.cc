#include "model/settings_json.h"

#include <nlohmann/json.hpp>

namespace banger {

namespace {

template <typename T>
Json word_of(const std::optional<T>& value) {
  return value ? Json(name_of(*value)) : Json();
}

template <typename T>
std::optional<T> value_of(const Json& j, const char* key, T (*parse)(std::string_view)) {
  auto at = j.find(key);
  if (at == j.end() || at->is_null()) return {};
  return parse(at->get<std::string>());
}

} // namespace

Json to_json(const Settings& settings) {
  // Each by its name: one that is added is missed here by the compiler.
  const auto& [runtime_dir, log_level, vm_image, vm_cpus, vm_memory, vm_memory_limit, vm_vmm,
               vm_accel, vm_root, vm_confined, vm_stop_timeout, vm_ready_timeout, net_mode,
               net_subnet, net_isolated_outbound, net_host_access, dns_zone, dns_listen, dns_ttl,
               dns_autostart, qemu_binary, firecracker_binary] = settings;
  return {{"runtime_dir", runtime_dir},
          {"log_level", name_of(log_level)},
          {"vm_image", vm_image},
          {"vm_cpus", vm_cpus},
          {"vm_memory", vm_memory},
          {"vm_memory_limit", vm_memory_limit ? Json(*vm_memory_limit) : Json()},
          {"vm_vmm", word_of(vm_vmm)},
          {"vm_accel", word_of(vm_accel)},
          {"vm_root", word_of(vm_root)},
          {"vm_stop_timeout_ms", vm_stop_timeout.count()},
          {"vm_ready_timeout_ms", vm_ready_timeout.count()},
          {"net_mode", word_of(net_mode)},
          {"net_subnet", net_subnet.text()},
          {"vm_confined", vm_confined},
          {"net_isolated_outbound", net_isolated_outbound},
          {"net_host_access", net_host_access},
          {"dns_zone", dns_zone},
          {"dns_listen", to_text(dns_listen)},
          {"dns_ttl_s", dns_ttl.count()},
          {"dns_autostart", dns_autostart},
          {"qemu_binary", qemu_binary},
          {"firecracker_binary", firecracker_binary}};
}

Settings settings_of(const Json& j) {
  Settings s;
  s.runtime_dir = j.value("runtime_dir", s.runtime_dir);
  s.log_level = parse_level(j.value("log_level", std::string(name_of(s.log_level))));
  s.vm_image = j.value("vm_image", s.vm_image);
  s.vm_cpus = j.value("vm_cpus", s.vm_cpus);
  s.vm_memory = j.value("vm_memory", s.vm_memory);
  if (auto limit = j.find("vm_memory_limit"); limit != j.end() && !limit->is_null())
    s.vm_memory_limit = limit->get<int64_t>();
  s.vm_vmm = value_of(j, "vm_vmm", parse_vmm_kind);
  s.vm_accel = value_of(j, "vm_accel", parse_accel);
  s.vm_root = value_of(j, "vm_root", parse_root_way);
  s.vm_stop_timeout = Millis(j.value("vm_stop_timeout_ms", s.vm_stop_timeout.count()));
  s.vm_ready_timeout = Millis(j.value("vm_ready_timeout_ms", s.vm_ready_timeout.count()));
  s.net_mode = value_of(j, "net_mode", parse_net_mode);
  s.net_subnet = Subnet::parse(j.value("net_subnet", s.net_subnet.text()));
  s.vm_confined = j.value("vm_confined", s.vm_confined);
  s.net_isolated_outbound = j.value("net_isolated_outbound", s.net_isolated_outbound);
  s.net_host_access = j.value("net_host_access", s.net_host_access);
  s.dns_zone = j.value("dns_zone", s.dns_zone);
  s.dns_listen = parse_endpoint("dns_listen", j.value("dns_listen", to_text(s.dns_listen)));
  s.dns_ttl = std::chrono::seconds(j.value("dns_ttl_s", s.dns_ttl.count()));
  s.dns_autostart = j.value("dns_autostart", s.dns_autostart);
  s.qemu_binary = j.value("qemu_binary", s.qemu_binary);
  s.firecracker_binary = j.value("firecracker_binary", s.firecracker_binary);
  return s;
}

bool operator==(const Settings& a, const Settings& b) { return to_json(a) == to_json(b); }

} // namespace banger
