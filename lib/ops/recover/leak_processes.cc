#include <algorithm>
#include <map>
#include <set>

#include <unistd.h>

#include "bundle/runtime_dir.h"
#include "core/error.h"
#include "ops/common/places.h"
#include "ops/net/record.h"
#include "ops/recover/leak_kinds.h"
#include "sys/cells.h"
#include "sys/file.h"
#include "sys/proc.h"

namespace banger::ops {

namespace {

constexpr Millis time_to_die{10'000};

constexpr std::string_view deleted = " (deleted)"; // what /proc appends to a path, proc(5)

std::string without_deleted(std::string path) {
  if (path.ends_with(deleted)) path.resize(path.size() - deleted.size());
  return path;
}

// The first part of `path` below `dir`: "ID" for "DIR/ID/run.lock"; empty if it is not below it.
// The directory of a VM's way out is the VM's.
std::string part_below(const std::string& dir, const std::string& path) {
  if (path.size() <= dir.size() + 1 || !path.starts_with(dir) || path[dir.size()] != '/') return {};
  std::string rest = path.substr(dir.size() + 1);
  return vm_in(rest.substr(0, rest.find('/')));
}

// A probe of KVM has no row; while the command that made it is at work it has files open there.
bool is_a_probe_at_work(const Scene& scene, const std::string& runtime_dir) {
  std::string name = runtime_dir.substr(runtime_dir.rfind('/') + 1);
  if (is_id_prefix(name) || is_network(name)) return false;
  for (const OpenFile& f : scene.open_files) {
    if (!f.path.starts_with(runtime_dir + "/")) continue;
    for (const auto& p : scene.processes)
      if (p.id == f.process && p.cwd != runtime_dir) return true;
  }
  return false;
}

// Another state may have the same tag (they are 16 bits): its runtime directories lead to its
// disks.
bool is_of_another_state(const Scene& scene, const std::string& runtime_dir) {
  auto root = sys::read_link(runtime_dir + "/root");
  return root && !root->starts_with(scene.state_dir + "/");
}

// Another's process, or one that has just ended, shows nothing.
template <typename F>
void look_at_process(F&& look) {
  try {
    look();
  } catch (const Error& e) {
    int err = e.error_number();
    if (err != EACCES && err != EPERM && err != ENOENT && err != ESRCH) throw;
  }
}

void add_open_files(Scene& scene, const ProcessId& process) {
  std::string dir = fmt::format("/proc/{}", process.pid);
  for (const std::string& fd : sys::list_dir(dir + "/fd")) {
    auto target = sys::read_link(dir + "/fd/" + fd);
    if (!target) continue;
    std::string path = without_deleted(*target);
    bool ours = path.starts_with(scene.state_dir + "/");
    for (const std::string& root : scene.runtime_roots) ours = ours || path.starts_with(root + "/");
    if (!ours) continue;
    // "lock:" lines name the locks taken through this descriptor, proc(5).
    auto info = sys::find_content(dir + "/fdinfo/" + fd, 65536);
    bool locked = info && info->find("\nlock:") != std::string::npos;
    scene.open_files.push_back({process, path, locked});
  }
}

} // namespace

std::string vm_of(const Scene& scene, const std::string& path) {
  std::string id = part_below(scene.state_dir + "/vms", path);
  for (const std::string& root : scene.runtime_roots)
    if (id.empty()) id = part_below(root, path);
  return id;
}

bool is_strange(const Scene& scene, const std::string& runtime_dir) {
  return is_of_another_state(scene, runtime_dir) || is_a_probe_at_work(scene, runtime_dir);
}

bool is_network(std::string_view name) { return name == "net" || name == "bridge"; }

std::string vm_in(std::string name) {
  if (name.ends_with(way_suffix)) name.resize(name.size() - way_suffix.size());
  return name;
}

std::string owner_of(const std::string& id) { return is_network(id) ? std::string() : id; }

std::vector<Leak> find_processes(const Scene& scene, Reader&) {
  std::vector<Leak> found;
  for (const auto& p : scene.processes) {
    std::string owner;
    for (const std::string& root : scene.runtime_roots) {
      // A VMM may leave its directory; the first process of its cell ends it.
      std::string id = part_below(root, p.cell.empty() ? p.cwd : p.cell);
      if (!id.empty() && !is_strange(scene, root + "/" + id)) owner = id;
    }
    for (const OpenFile& f : scene.open_files)
      if (owner.empty() && f.process == p.id && (f.locked || p.is_banger))
        if (std::string id = vm_of(scene, f.path); !is_network(id)) owner = id;
    if (owner.empty()) continue;
    std::string name = fmt::format("{} ({})", p.id.pid, p.comm);
    found.push_back({"process", name, owner_of(owner), {}, p.id, owner});
  }
  return found;
}

void end_process(const Leak& leak, Reader&) { sys::end_process(leak.process, time_to_die); }

Scene look_at_host(Reader& in) {
  const Dirs& dirs = in.dirs;
  state::State& state = in.state;
  Scene scene;
  scene.bundle_dirs = bundle::build_dirs(in.settings, dirs);
  const std::string& tag = state.tag();
  scene.state_dir = sys::real_path(dirs.state);
  scene.net_lock = net_lock(dirs);
  // XDG_RUNTIME_DIR may have been another when a VM was started.
  std::set<std::string> roots{dirs.runtime + "/" + tag, dirs.state + "/run/" + tag};
  auto add_root_of = [&](const std::string& dir) {
    if (size_t slash = dir.rfind('/'); slash != std::string::npos)
      roots.insert(dir.substr(0, slash));
  };
  for (const std::string& dir : state.runtime_dirs()) add_root_of(dir);
  for (NetMode mode : shared_networks) add_root_of(read_net(state, mode).dir);
  std::set<std::string> real;
  for (const std::string& root : roots)
    if (!tag.empty() && root.ends_with("/" + tag) && sys::exists(root))
      real.insert(sys::real_path(root));
  scene.runtime_roots.assign(real.begin(), real.end());
  std::map<int, sys::Cell> cells;
  for (sys::Cell& cell : sys::list_cells()) cells[cell.first.pid] = std::move(cell);
  auto cell_of = [&](const ProcessId& process) {
    auto it = cells.find(process.pid);
    return it != cells.end() && it->second.first == process ? it->second.dir : std::string();
  };
  for (const sys::ProcessInfo& p : sys::list_processes()) {
    if (p.id.pid == ::getpid()) continue;
    auto program = sys::read_link(fmt::format("/proc/{}/exe", p.id.pid));
    bool is_banger = program && program->starts_with(dirs.libexec + "/");
    scene.processes.push_back({p.id, p.comm, without_deleted(p.cwd), is_banger, cell_of(p.id)});
    look_at_process([&] { add_open_files(scene, p.id); });
  }
  look_at_bridge(scene, in);
  return scene;
}

Scene look_without_state(Reader& in) {
  Scene scene;
  scene.bundle_dirs = bundle::build_dirs(in.settings, in.dirs);
  look_at_bridge(scene, in);
  return scene;
}

} // namespace banger::ops
