#include <algorithm>
#include <set>
#include <unordered_map>
#include <utility>

#include "core/text.h"
#include "state/row.h"
#include "state/state.h"

namespace banger::state {

namespace {

// The columns of table vm. A new field is a line here and a migration.
template <typename V, typename Visit>
void each_column(V& vm, Visit&& f) {
  f("id", vm.id);
  f("name", vm.name);
  f("image_id", vm.image_id);
  f("image_name", vm.image_name);
  f("state", vm.state);
  f("reason", vm.reason);
  f("cpus", vm.cpus);
  f("memory", vm.memory);
  f("root_way", vm.root_way);
  f("root_size", vm.root_size);
  f("work_size", vm.work_size);
  f("work_mount", vm.work_mount);
  f("net_mode", vm.net_mode);
  f("host_open", vm.host_open);
  f("address", vm.address);
  f("gateway", vm.gateway);
  f("mac", vm.mac);
  f("prefix", vm.prefix);
  f("reach", vm.reach);
  f("ssh_port", vm.ssh_port);
  f("want_vmm", vm.want_vmm);
  f("want_accel", vm.want_accel);
  f("vmm", vm.vmm);
  f("vmm_version", vm.vmm_version);
  f("accel", vm.accel);
  f("confinement", vm.confinement);
  f("nat", vm.nat);
  f("root_bandwidth", vm.limits.root.bandwidth);
  f("root_ops", vm.limits.root.ops);
  f("work_bandwidth", vm.limits.work.bandwidth);
  f("work_ops", vm.limits.work.ops);
  f("net_bandwidth", vm.limits.net.bandwidth);
  f("net_ops", vm.limits.net.ops);
  f("creator_pid", vm.creator.pid);
  f("creator_start_time", vm.creator.start_time);
  f("creator_boot_id", vm.creator.boot_id);
  f("remove_when_stopped", vm.remove_when_stopped);
  f("created", vm.created);
  f("started", vm.started);
  f("stopped", vm.stopped);
  f("boot_prepare", vm.timings.prepare);
  f("boot_vmm", vm.timings.vmm);
  f("boot_kernel", vm.timings.kernel);
  f("boot_userland", vm.timings.userland);
  f("boot_ready", vm.timings.ready);
  VmFault fault = vm.fault.value_or(VmFault{});
  f("fault_code", fault.code);
  f("fault_message", fault.message);
  f("fault_hint", fault.hint);
  f("fault_log", fault.log);
  if constexpr (!std::is_const_v<V>) {
    if (!fault.code.empty()) vm.fault = std::move(fault);
  }
}

// The columns of table vm_run but for its VM.
template <typename R, typename Visit>
void each_run_column(R& run, Visit&& f) {
  f("vmm_pid", run.vmm.pid);
  f("vmm_start_time", run.vmm.start_time);
  f("vmm_boot_id", run.vmm.boot_id);
  f("monitor_pid", run.monitor.pid);
  f("monitor_start_time", run.monitor.start_time);
  f("monitor_boot_id", run.monitor.boot_id);
  f("runtime_dir", run.runtime_dir);
  f("vmm_api_socket", run.vmm_api_socket);
  f("outbound_open", run.outbound_open);
}

const TableSql& sql() {
  static const TableSql sql =
      TableSql::of<Vm>("vm", [](auto& vm, auto&& f) { each_column(vm, f); });
  return sql;
}

const TableSql& run_sql() {
  static const TableSql sql = TableSql::of<VmRun>(
      "vm_run", [](auto& run, auto&& f) { each_run_column(run, f); }, "vm");
  return sql;
}

// VMs with their runs, in the order of read_vm.
std::string select_vms(std::string_view rest) {
  return fmt::format("SELECT {}, vm_run.vm, {} FROM vm LEFT JOIN vm_run ON vm_run.vm = vm.id {}",
                     sql().qualified, run_sql().qualified, rest);
}

Vm read_vm(const Query& q) {
  Vm vm;
  GetColumns columns{q};
  each_column(vm, columns);
  if (q.is_null(columns.count++)) return vm;
  each_run_column(vm.run.emplace(), columns);
  return vm;
}

// Labels and ports of the VMs at hand, merged in memory: two statements however many VMs there are.
void read_details(Db& db, std::vector<Vm>& vms, bool all) {
  std::unordered_map<std::string_view, Vm*> by_id;
  for (Vm& vm : vms) by_id.emplace(vm.id, &vm);
  auto each_row = [&](const char* select_all, const char* select_one, auto&& take) {
    Query q = db.query(all ? select_all : select_one);
    if (!all) q.bind(0, vms.front().id);
    while (q.next()) {
      auto it = by_id.find(q.text(0));
      if (it != by_id.end()) take(*it->second, q);
    }
  };
  each_row("SELECT vm, key, value FROM vm_label",
           "SELECT vm, key, value FROM vm_label WHERE vm = ?",
           [](Vm& vm, const Query& q) { vm.labels[q.text(1)] = q.text(2); });
  each_row(
      "SELECT vm, proto, host_address, host, guest FROM vm_port ORDER BY vm, position",
      "SELECT vm, proto, host_address, host, guest FROM vm_port WHERE vm = ? ORDER BY position",
      [](Vm& vm, const Query& q) {
        vm.ports.push_back(Port{q.text(1), q.text(2), static_cast<int>(q.number(3)),
                                static_cast<int>(q.number(4))});
      });
}

std::optional<Vm> load(Db& db, const std::string& id) {
  std::vector<Vm> found;
  {
    static const std::string select = select_vms("WHERE vm.id = ?");
    Query q = db.query(select);
    q.bind(0, id);
    if (!q.next()) return {};
    found.push_back(read_vm(q));
  }
  read_details(db, found, false);
  return std::move(found.front());
}

void write_labels(Db& db, const Vm& vm) {
  db.run("DELETE FROM vm_label WHERE vm = ?", vm.id);
  for (const auto& [key, value] : vm.labels)
    db.run("INSERT INTO vm_label (vm, key, value) VALUES (?, ?, ?)", vm.id, key, value);
}

void write_run(Db& db, const Vm& vm, const std::optional<VmRun>& before) {
  if (vm.run == before) return;
  if (!vm.run) return db.run("DELETE FROM vm_run WHERE vm = ?", vm.id);
  if (before)
    return update_row(db, "vm_run", "vm", vm.id, *before, *vm.run,
                      [](auto& run, auto&& f) { each_run_column(run, f); });
  Query q = db.query(run_sql().insert);
  q.bind(0, vm.id);
  each_run_column(*vm.run, PutColumns{q, 1});
  q.next();
}

void write_ports(Db& db, const Vm& vm) {
  db.run("DELETE FROM vm_port WHERE vm = ?", vm.id);
  int64_t position = 0;
  for (const Port& p : vm.ports)
    db.run("INSERT INTO vm_port (vm, position, proto, host_address, host, guest) "
           "VALUES (?, ?, ?, ?, ?, ?)",
           vm.id, position++, p.proto, p.host_address, int64_t{p.host}, int64_t{p.guest});
}

// One that is being removed is not ready any more.
void require_image(Db& db, const Vm& vm) {
  if (!db.query_one("SELECT 1 FROM image WHERE id = ? AND ready", vm.image_id))
    throw not_found("image '{}' is gone", vm.image_name).subject(vm.image_name);
}

// 127.X.Y.N: X and Y begin as the tag's bytes, so that two states seldom share a range; N and then
// Y count up.
std::string find_reach(Db& db, const std::string& tag) {
  std::set<std::string> taken;
  Query q = db.query("SELECT reach FROM vm");
  while (q.next()) taken.insert(q.text(0));
  int x = std::stoi(tag.substr(0, 2), nullptr, 16), y = std::stoi(tag.substr(2), nullptr, 16);
  for (int more = 0; more < 256; ++more)
    for (int n = 1; n <= 254; ++n) {
      std::string address = fmt::format("127.{}.{}.{}", x, (y + more) % 256, n);
      if (!taken.contains(address)) return address;
    }
  throw failed("no loopback address is left for another VM")
      .hint("remove VMs that you do not need");
}

// By name. Sorted here: an index of the names would be one page more to read, and rows in its
// order.
std::vector<Vm> load_all(Db& db, const std::string& where) {
  std::vector<Vm> all;
  db.snapshot([&] {
    all.clear();
    // A Vm is large: growing from one copies more than most lists have. More than 128 KiB would be
    // mapped, and unmapped again.
    all.reserve((size_t{120} << 10) / sizeof(Vm));
    {
      Query q = db.query(select_vms(where));
      while (q.next()) all.push_back(read_vm(q));
    }
    std::sort(all.begin(), all.end(), [](const Vm& a, const Vm& b) { return a.name < b.name; });
    if (!all.empty()) read_details(db, all, true);
  });
  return all;
}

} // namespace

std::string State::free_reach() { return find_reach(*db_, tag_); }

std::vector<Vm> State::vms() { return load_all(*db_, ""); }

std::vector<Vm> State::busy_vms() {
  return load_all(*db_, "WHERE state NOT IN ('stopped', 'failed') OR remove_when_stopped");
}

std::optional<Vm> State::find_vm(const std::string& ref) {
  std::optional<Vm> vm;
  db_->snapshot([&] {
    auto id = find_id(*db_, "vm", "VM", ref);
    vm = id ? load(*db_, *id) : std::nullopt;
  });
  return vm;
}

Vm State::get_vm(const std::string& ref) {
  if (auto vm = find_vm(ref)) return std::move(*vm);
  throw no_such(*db_, "vm", "VM", ref);
}

std::optional<Vm> State::find_vm_by_id(const std::string& id) {
  std::optional<Vm> vm;
  db_->snapshot([&] { vm = load(*db_, id); });
  return vm;
}

Vm State::add_vm(Vm vm) {
  if (vm.id.empty()) throw failed("cannot store VM '{}': it has no id", vm.name);
  const bool any_reach = vm.reach.empty();
  transaction([&] {
    if (db_->query_one("SELECT 1 FROM vm WHERE name = ?", vm.name))
      throw conflict("VM '{}' exists already", vm.name)
          .subject(vm.name)
          .hint(fmt::format("banger vm start {0} starts it; banger vm rm {0} removes it with its "
                            "disks, which cannot be brought back",
                            vm.name));
    if (!vm.image_id.empty()) require_image(*db_, vm);
    if (any_reach)
      vm.reach = find_reach(*db_, tag_);
    else if (auto other = db_->query_one("SELECT name FROM vm WHERE reach = ?", vm.reach))
      throw conflict("address {} belongs to VM '{}'", vm.reach, *other).subject(vm.name);
    {
      Query q = db_->query(sql().insert);
      each_column(std::as_const(vm), PutColumns{q});
      q.next();
    }
    write_run(*db_, vm, {});
    write_labels(*db_, vm);
    write_ports(*db_, vm);
  });
  return vm;
}

Vm State::change_vm(const std::string& id, const std::function<void(Vm&)>& change,
                    Outlives outlives) {
  Vm vm;
  auto load_and_store = [&] {
    auto found = load(*db_, id);
    if (!found) throw not_found("VM {} is gone", id).subject(id);
    vm = *found;
    change(vm);
    if (vm.id != found->id || vm.name != found->name)
      throw failed("cannot change id or name of VM '{}'", found->name).subject(found->name);
    if (vm.image_id != found->image_id) require_image(*db_, vm);
    update_row(*db_, "vm", "id", vm.id, *found, vm, [](auto& v, auto&& f) { each_column(v, f); });
    write_run(*db_, vm, found->run);
    if (vm.labels != found->labels) write_labels(*db_, vm);
    if (vm.ports != found->ports) write_ports(*db_, vm);
  };
  transaction(load_and_store, outlives);
  return vm;
}

void State::remove_vm(const std::string& id) {
  transaction([&] { db_->run("DELETE FROM vm WHERE id = ?", id); });
}

} // namespace banger::state
