#include "model/wire.h"

namespace banger {

namespace {

Json time_or_null(WallTime t) { return t.ns ? Json(to_rfc3339(t)) : Json(nullptr); }

Json text_or_null(const std::string& s) { return s.empty() ? Json(nullptr) : Json(s); }

template <typename T>
Json or_null(const std::optional<T>& v) {
  return v ? Json(*v) : Json(nullptr);
}

Json fault_json(const Vm& vm, const Dirs& dirs) {
  if (!vm.fault) return nullptr;
  return {{"code", vm.fault->code},
          {"subject", vm.name},
          {"message", vm.fault->message},
          {"hint", text_or_null(vm.fault->hint)},
          {"log", dirs.vm_file(vm.id, "console.log")}};
}

} // namespace

Json to_json(const Port& p) {
  return {
      {"proto", p.proto}, {"host_address", p.host_address}, {"host", p.host}, {"guest", p.guest}};
}

Json to_json(const Vm& vm, const Dirs& dirs, std::optional<int64_t> root_used) {
  Json ports = Json::array();
  for (const Port& p : vm.ports) ports.push_back(to_json(p));
  const BootTimings& t = vm.timings;
  return {{"id", vm.id},
          {"name", vm.name},
          {"state", name_of(vm.state)},
          {"reason", text_or_null(vm.reason)},
          {"image", {{"id", vm.image_id}, {"name", vm.image_name}}},
          {"cpus", vm.cpus},
          {"memory", vm.memory},
          {"root",
           {{"way", name_of(vm.root_way)}, {"size", vm.root_size}, {"used", or_null(root_used)}}},
          {"work", nullptr},
          {"net",
           {{"mode", name_of(vm.net_mode)},
            {"address", vm.address},
            {"reach", vm.reach},
            {"prefix", vm.prefix},
            {"gateway", vm.gateway},
            {"mac", vm.mac},
            {"dns", vm.name + ".vm"},
            {"ports", ports}}},
          {"ssh",
           {{"user", "root"},
            {"address", vm.reach},
            {"port", vm.ssh_port},
            {"identity", dirs.keys() + "/id_ed25519"},
            {"known_hosts", dirs.keys() + "/known_hosts"}}},
          {"vmm",
           {{"driver", name_of(vm.vmm)},
            {"version", text_or_null(vm.vmm_version)},
            {"accel", vm.accel ? Json(name_of(*vm.accel)) : Json(nullptr)},
            {"pid", vm.vmm_process ? Json(vm.vmm_process.pid) : Json(nullptr)},
            {"api_socket", text_or_null(vm.vmm_api_socket)}}},
          {"labels", Json(vm.labels)},
          {"created", time_or_null(vm.created)},
          {"started", time_or_null(vm.started)},
          {"stopped", time_or_null(vm.stopped)},
          {"timings",
           {{"prepare", or_null(t.prepare)},
            {"vmm", or_null(t.vmm)},
            {"kernel", or_null(t.kernel)},
            {"userland", or_null(t.userland)},
            {"ready", or_null(t.ready)}}},
          {"logs",
           {{"console", dirs.vm_file(vm.id, "console.log")},
            {"vmm", dirs.vm_file(vm.id, "vmm.log")},
            {"lifecycle", dirs.vm_file(vm.id, "lifecycle.jsonl")}}},
          {"error", fault_json(vm, dirs)}};
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
           {{"root", dir + "/root.ext4"},
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
