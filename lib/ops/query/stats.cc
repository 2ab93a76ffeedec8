#include "ops/query/stats.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "net/plan.h"
#include "ops/link/link.h"
#include "ops/net/record.h"
#include "ops/query/disk_use.h"
#include "ops/query/guest_memory.h"
#include "sys/wait.h"

namespace banger::ops {

namespace {

// A VM has a cgroup of its own when nothing else than its VMM and its monitor is in there.
std::optional<sys::Cgroup> own_cgroup(const Vm& vm) {
  auto group = sys::find_cgroup(vm.vmm_process().pid);
  if (!group) return {};
  bool own = std::all_of(group->members.begin(), group->members.end(), [&](int pid) {
    return pid == vm.vmm_process().pid || pid == vm.monitor_process().pid;
  });
  return own && !group->members.empty() ? group : std::nullopt;
}

// Of its tap, as seen from inside the namespace in which its VMM runs. Bytes that the tap receives
// are those that the guest sent.
std::optional<NetBytes> net_bytes(const NetRecord& net, const std::string& tag, const Vm& vm) {
  auto tap = net.taps.find(vm.id);
  if (tap == net.taps.end()) return {};
  auto bytes = sys::find_interface_bytes(vm.vmm_process().pid, net::tap_name(tag, tap->second));
  if (!bytes) return {};
  return NetBytes{bytes->sent, bytes->received};
}

} // namespace

std::vector<VmStats> Sampler::sample(std::vector<std::string>& unknown) {
  std::vector<VmStats> all = sample_host(unknown);
  std::vector<Vm> vms;
  for (const VmStats& s : all) vms.push_back(s.vm);
  auto told = ask_monitors(in_.dirs, in_.state.tag(), vms);
  for (VmStats& s : all) {
    auto by = told.find(s.vm.id);
    if (by == told.end()) continue;
    s.guest = by->second.memory;
    s.counters = by->second.counters;
  }
  return all;
}

std::vector<VmStats> Sampler::sample_host(std::vector<std::string>& unknown) {
  std::vector<VmStats> all;
  NetRecord net = read_net(in_.state);
  for (Vm& vm : find_vms(in_, query_, unknown)) {
    VmStats s;
    s.time = wall_now();
    s.disk = disk_use(in_.dirs, vm);
    SteadyTime now = steady_now();
    if (vm.vmm_process()) s.usage = sys::find_usage(vm.vmm_process());
    if (s.usage) {
      s.cgroup = own_cgroup(vm);
      s.net = net_bytes(net, in_.state.tag(), vm);
      auto before = before_.find(vm.id);
      if (before != before_.end() && before->second.process == vm.vmm_process()) {
        double ns = std::chrono::duration<double, std::nano>(now - before->second.at).count();
        if (ns > 0)
          s.cpu_percent = 100.0 * static_cast<double>(s.usage->cpu_ns - before->second.cpu_ns) / ns;
      }
      before_[vm.id] = {s.usage->cpu_ns, now, vm.vmm_process()};
    }
    s.vm = std::move(vm);
    all.push_back(std::move(s));
  }
  return all;
}

Json to_json(const VmStats& s) {
  auto or_null = [](const auto& v) { return v ? Json(*v) : Json(); };
  auto seconds = [](int64_t ns) { return static_cast<double>(ns) / 1e9; };
  auto rounded = [](double v) {
    return static_cast<double>(static_cast<int64_t>(v * 10 + 0.5)) / 10;
  };
  Json cpu, memory, guest, io, net, cgroup;
  if (s.usage) {
    cpu = {{"seconds", seconds(s.usage->cpu_ns)},
           {"percent", s.cpu_percent ? Json(rounded(*s.cpu_percent)) : Json()}};
    memory = {{"rss", s.usage->rss}, {"pss", or_null(s.usage->pss)}};
    io = {{"read", or_null(s.usage->read)}, {"written", or_null(s.usage->written)}};
  }
  if (s.guest)
    guest = {{"total", s.guest->total}, {"free", s.guest->free}, {"available", s.guest->available}};
  if (s.net) net = {{"received", s.net->received}, {"sent", s.net->sent}};
  if (s.cgroup)
    cgroup = {{"path", s.cgroup->path},
              {"cpu_seconds", s.cgroup->cpu_ns ? Json(seconds(*s.cgroup->cpu_ns)) : Json()},
              {"memory", or_null(s.cgroup->memory)}};
  return {{"time", to_rfc3339(s.time)},
          {"id", s.vm.id},
          {"name", s.vm.name},
          {"state", name_of(s.vm.state)},
          {"cpus", s.vm.cpus},
          {"size", s.vm.memory},
          {"cpu", cpu},
          {"memory", memory},
          {"guest", guest},
          {"disk", {{"root", or_null(s.disk.root)}, {"work", or_null(s.disk.work)}}},
          {"io", io},
          {"net", net},
          {"vmm", s.counters ? to_json(*s.counters) : Json()},
          {"cgroup", cgroup}};
}

bool pause_unless_unread(Millis time, int reader) { return !sys::wait_hangup(reader, time); }

} // namespace banger::ops
