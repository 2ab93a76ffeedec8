#include "ops/recover/leaks.h"

#include <algorithm>
#include <map>
#include <set>

#include <unistd.h>

#include "bundle/runtime_dir.h"
#include "core/error.h"
#include "core/text.h"
#include "net/holder.h"
#include "net/slirp.h"
#include "ops/net/private_net.h"
#include "ops/net/record.h"
#include "ops/net/way_out.h"
#include "ops/release/mapping.h"
#include "ops/release/snapshots.h"
#include "sys/file.h"
#include "sys/lock.h"
#include "sys/namespace.h"
#include "sys/proc.h"
#include "sys/wait.h"

namespace banger::ops {

namespace {

// A process's file below the state or runtime directory, by its real path ("(deleted)" cut off).
struct OpenFile {
  ProcessId process;
  std::string path;
  bool locked; // through this descriptor
};

// The objects that the host shows; the same for all kinds. Real paths.
struct Scene {
  std::string state_dir, net_lock;        // empty where there is no state yet
  std::string bundle_dir;                 // where this user's builds go
  std::vector<std::string> runtime_roots; // RUNTIME/TAG, those that exist
  struct Process {
    ProcessId id;
    std::string comm, cwd;
    bool is_banger; // runs a program of our libexec
  };
  std::vector<Process> processes; // but for this one
  std::vector<OpenFile> open_files;
};

struct LeakKind {
  std::string_view object;
  // Gives all of this kind, with a row or not; of those that name no row, only the leaks.
  std::vector<Leak> (*find)(const Scene&, Reader&);
  // Makes it absent; absence is no failure.
  void (*remove)(const Leak&, Reader&);
};

// How long a process whose row has just gone may take to end by itself, and a writer to rename what
// it has closed; how long to die of SIGKILL.
constexpr Millis time_to_end{500}, time_to_die{10'000};

// The private network's directory stands among those of the VMs.
constexpr std::string_view network = "net";

constexpr std::string_view deleted = " (deleted)"; // what /proc appends to a path, proc(5)

std::string without_deleted(std::string path) {
  if (path.ends_with(deleted)) path.resize(path.size() - deleted.size());
  return path;
}

// The first part of `path` below `dir`: "ID" for "DIR/ID/run.lock"; empty if it is not below it.
std::string part_below(const std::string& dir, const std::string& path) {
  if (path.size() <= dir.size() + 1 || !path.starts_with(dir) || path[dir.size()] != '/') return {};
  std::string rest = path.substr(dir.size() + 1);
  return rest.substr(0, rest.find('/'));
}

// The id of the VM in whose directories `path` lies.
std::string vm_of(const Scene& scene, const std::string& path) {
  std::string id = part_below(scene.state_dir + "/vms", path);
  for (const std::string& root : scene.runtime_roots)
    if (id.empty()) id = part_below(root, path);
  return id;
}

// Another state may have the same tag (they are 16 bits): its runtime directories lead to its
// disks.
bool is_of_another_state(const Scene& scene, const std::string& runtime_dir) {
  auto root = sys::read_link(runtime_dir + "/root");
  return root && !root->starts_with(scene.state_dir + "/");
}

// A probe of KVM has no row; while the command that made it is at work it has files open there.
bool is_a_probe_at_work(const Scene& scene, const std::string& runtime_dir) {
  std::string name = runtime_dir.substr(runtime_dir.rfind('/') + 1);
  if (is_id_prefix(name) || name == network) return false;
  for (const OpenFile& f : scene.open_files) {
    if (!f.path.starts_with(runtime_dir + "/")) continue;
    for (const auto& p : scene.processes)
      if (p.id == f.process && p.cwd != runtime_dir) return true;
  }
  return false;
}

bool is_strange(const Scene& scene, const std::string& runtime_dir) {
  return is_of_another_state(scene, runtime_dir) || is_a_probe_at_work(scene, runtime_dir);
}

std::string owner_of(const std::string& id) { return id == network ? std::string() : id; }

// --- processes: VMMs and what else works in a runtime directory, monitors and verbs by their
// locks.

std::vector<Leak> find_processes(const Scene& scene, Reader&) {
  std::vector<Leak> found;
  for (const auto& p : scene.processes) {
    std::string owner;
    for (const std::string& root : scene.runtime_roots) {
      std::string id = part_below(root, p.cwd);
      if (!id.empty() && !is_strange(scene, root + "/" + id)) owner = id;
    }
    for (const OpenFile& f : scene.open_files)
      if (owner.empty() && f.process == p.id && (f.locked || p.is_banger))
        if (std::string id = vm_of(scene, f.path); id != network) owner = id;
    if (owner.empty()) continue;
    std::string name = fmt::format("{} ({})", p.id.pid, p.comm);
    found.push_back({"process", name, owner_of(owner), {}, p.id, owner});
  }
  return found;
}

void end_process(const Leak& leak, Reader&) { sys::end_process(leak.process, time_to_die); }

// --- directories named by the id of a VM or image.

void find_directories(std::vector<Leak>& found, std::string_view object,
                      const std::string& parent) {
  for (const std::string& id : sys::list_dir(parent))
    if (!id.starts_with('.'))
      found.push_back(
          {std::string(object), parent + "/" + id, owner_of(id), parent + "/" + id, {}, id});
}

std::vector<Leak> find_runtime(const Scene& scene, Reader&) {
  std::vector<Leak> all, ours;
  for (const std::string& root : scene.runtime_roots) find_directories(all, "runtime", root);
  std::copy_if(all.begin(), all.end(), std::back_inserter(ours),
               [&](const Leak& l) { return !is_strange(scene, l.path); });
  return ours;
}

std::vector<Leak> find_vm_dirs(const Scene& scene, Reader&) {
  std::vector<Leak> found;
  find_directories(found, "vm", scene.state_dir + "/vms");
  return found;
}

std::vector<Leak> find_image_dirs(const Scene& scene, Reader&) {
  std::vector<Leak> found;
  find_directories(found, "image", scene.state_dir + "/images");
  return found;
}

void remove_path(const Leak& leak, Reader&) { sys::remove_tree(leak.path); }

// --- temporaries of writers that died (sys::write_atomic): a ".NAME.tmp" that no process has open;
// and snapshots whose maker died before it wrote their row.

std::vector<Leak> find_temporaries(const Scene& scene, Reader& in) {
  std::vector<Leak> found;
  // A verb or an import that holds its lock is at work there: files that it makes are no leak yet.
  auto is_busy = [&](const std::string& dir) {
    return std::any_of(scene.open_files.begin(), scene.open_files.end(), [&](const OpenFile& f) {
      return f.locked && (f.path == dir + "/op.lock" || f.path == dir + "/snapshot.lock" ||
                          f.path == dir + "/import.lock");
    });
  };
  auto add = [&](const std::string& path, const std::string& owner) {
    if (auto info = sys::find_link_info(path))
      found.push_back({"temporary", path, owner, path, {}, {}, {}, info->ino, info->mtime_ns});
  };
  auto look = [&](const std::string& dir, const std::string& owner) {
    if (is_busy(dir)) return;
    if (in.state.find_vm_by_id(owner))
      for (const std::string& path : unknown_snapshots(in, dir, owner)) add(path, owner);
    for (const std::string& name : sys::list_dir(dir)) {
      if (!name.starts_with('.') || !name.ends_with(".tmp") || name.size() < 6) continue;
      std::string path = dir + "/" + name;
      bool in_use = std::any_of(scene.open_files.begin(), scene.open_files.end(),
                                [&](const OpenFile& f) { return f.path == path; });
      if (!in_use) add(path, owner);
    }
  };
  look(scene.state_dir, "");
  for (const char* dir : {"keys", "log"}) look(scene.state_dir + "/" + dir, "");
  for (const char* dir : {"vms", "images"}) {
    std::string parent = scene.state_dir + "/" + dir;
    look(parent, "");
    for (const std::string& id : sys::list_dir(parent)) look(parent + "/" + id, id);
  }
  return found;
}

void remove_temporary(const Leak& leak, Reader&) {
  auto info = sys::find_link_info(leak.path);
  if (info && info->ino == leak.inode && info->mtime_ns == leak.mtime_ns)
    sys::remove_tree(leak.path);
}

// --- what is in the private network: taps and forwards, as its holder and slirp4netns show them.
// Removed under net.lock and after another look: a VM that starts may have taken its name since.

std::vector<std::string> stray_taps(Reader& in) {
  std::vector<std::string> links = sys::links_of(read_net(in.state).holder);
  std::set<std::string> known;
  for (HostObject& o : in.state.host_objects())
    if (o.kind == ObjectKind::tap) known.insert(std::move(o.name));
  std::vector<std::string> strays;
  for (std::string& link : links)
    if (net::tap_number(in.state.tag(), link) && !known.contains(link))
      strays.push_back(std::move(link));
  return strays;
}

std::vector<Leak> find_taps(const Scene& scene, Reader& in) {
  NetRecord net = read_net(in.state);
  std::vector<Leak> found;
  for (const std::string& tap : stray_taps(in))
    found.push_back({"tap", tap, {}, net.holder_socket(), {}, {}, scene.net_lock});
  return found;
}

void remove_tap(const Leak& leak, Reader& in) {
  auto lock = sys::FileLock::take(leak.lock);
  auto strays = stray_taps(in);
  if (std::find(strays.begin(), strays.end(), leak.name) != strays.end())
    net::apply_plan(
        leak.path,
        net::leave_plan(in.state.tag(), {net::tap_number(in.state.tag(), leak.name).value()}));
}

constexpr int relayed = -1; // by the holder, which gives no numbers

struct ForwardThere {
  net::NumberedForward numbered;
  std::string socket; // of the process that has it
};
struct StrayForward {
  ForwardThere there;
  std::string name, owner;
};

// The forwards of the VMs' slirp4netns and of the holder; of one that is just ending, none.
std::vector<ForwardThere> forwards_there(const NetRecord& net, Reader& in) {
  std::vector<ForwardThere> all;
  auto ask = [](const ProcessId& process, auto&& list) {
    try {
      if (sys::is_alive(process)) list();
    } catch (const Error& e) {
      if (e.code() != Code::unreachable) throw;
    }
  };
  auto ask_slirp = [&](const ProcessId& slirp, const std::string& socket) {
    ask(slirp, [&] {
      for (net::NumberedForward& f : net::list_forwards(socket))
        all.push_back({std::move(f), socket});
    });
  };
  ask_slirp(net.slirp, net.slirp_socket());
  for (const auto& [id, slirp] : all_ways(in.state)) {
    auto vm = in.state.find_vm_by_id(id);
    if (vm) ask_slirp(slirp, way_socket(in.dirs, in.state.tag(), *vm));
  }
  ask(net.holder, [&] {
    for (net::Forward& f : net::list_relays(net.holder_socket()))
      all.push_back({{relayed, std::move(f)}, net.holder_socket()});
  });
  return all;
}

// Those to a guest's address that is no live VM's.
std::vector<StrayForward> stray_forwards(const NetRecord& net, Reader& in) {
  std::vector<ForwardThere> all = forwards_there(net, in);
  std::map<std::string, state::State::Lease> by_address;
  for (auto& lease : in.state.leases(PrivateNet::mode))
    by_address[lease.address] = std::move(lease);
  std::vector<StrayForward> strays;
  for (const ForwardThere& there : all) {
    const net::Forward& forward = there.numbered.forward;
    auto vm = by_address.find(forward.guest);
    if (vm != by_address.end() && is_live(vm->second.state)) continue;
    strays.push_back({there, to_text(forward), vm == by_address.end() ? "" : vm->second.id});
  }
  return strays;
}

std::vector<Leak> find_forwards(const Scene& scene, Reader& in) {
  NetRecord net = read_net(in.state);
  std::vector<Leak> found;
  for (const StrayForward& f : stray_forwards(net, in))
    found.push_back({"forward", f.name, f.owner, f.there.socket, {}, {}, scene.net_lock});
  return found;
}

void remove_forward(const Leak& leak, Reader& in) {
  auto lock = sys::FileLock::take(leak.lock);
  NetRecord net = read_net(in.state);
  for (const StrayForward& f : stray_forwards(net, in)) {
    const auto& [numbered, socket] = f.there;
    if (f.name != leak.name) continue;
    if (numbered.id == relayed)
      net::remove_relay(socket, numbered.forward);
    else
      net::remove_forward(socket, numbered.id);
  }
}

// --- root disks that device-mapper shows.

std::vector<Leak> find_mapped(const Scene& scene, Reader& in) {
  std::vector<Leak> found;
  for (const disk::Mapping& m : unknown_mappings(in, scene.state_dir))
    found.push_back({"dm", mapping_name(m.tag, m.id), m.id, {}, {}, {}, {}, 0, 0, m.identity});
  return found;
}

void unmap(const Leak& leak, Reader& in) {
  unmap_device(in.dirs, {in.state.tag(), leak.owner, leak.identity});
}

// --- what a build of a bundle left that died so that it could not tidy up.

std::vector<Leak> find_builds(const Scene& scene, Reader&) {
  std::vector<Leak> found;
  for (const std::string& path : bundle::dead_builds(scene.bundle_dir))
    found.push_back({"build", path, {}, path, {}, {}});
  return found;
}

void remove_build(const Leak& leak, Reader&) {
  // Another build may have begun, and removed it: it has its own by another name.
  sys::remove_tree(leak.path);
}

// In the order in which they are to be removed: processes before what they use.
constexpr LeakKind kinds[] = {
    {"forward", find_forwards, remove_forward}, {"tap", find_taps, remove_tap},
    {"process", find_processes, end_process},   {"dm", find_mapped, unmap},
    {"runtime", find_runtime, remove_path},     {"vm", find_vm_dirs, remove_path},
    {"image", find_image_dirs, remove_path},    {"temporary", find_temporaries, remove_temporary},
    {"build", find_builds, remove_build}};

// --- the scene.

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

Scene look_at_host(Reader& in) {
  const Dirs& dirs = in.dirs;
  state::State& state = in.state;
  Scene scene;
  scene.bundle_dir = bundle::build_dir(in.settings, dirs).path;
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
  add_root_of(read_net(state).dir);
  std::set<std::string> real;
  for (const std::string& root : roots)
    if (!tag.empty() && root.ends_with("/" + tag) && sys::exists(root))
      real.insert(sys::real_path(root));
  scene.runtime_roots.assign(real.begin(), real.end());
  for (const sys::ProcessInfo& p : sys::list_processes()) {
    if (p.id.pid == ::getpid()) continue;
    auto program = sys::read_link(fmt::format("/proc/{}/exe", p.id.pid));
    bool is_banger = program && program->starts_with(dirs.libexec + "/");
    scene.processes.push_back({p.id, p.comm, without_deleted(p.cwd), is_banger});
    look_at_process([&] { add_open_files(scene, p.id); });
  }
  return scene;
}

// Every object that is there now and that no row accounts for.
std::vector<Leak> look(Reader& in) {
  const Dirs& dirs = in.dirs;
  state::State& state = in.state;
  if (!sys::exists(dirs.state)) {
    // A bundle may be the first thing that a user makes, elsewhere.
    Scene scene;
    scene.bundle_dir = bundle::build_dir(in.settings, dirs).path;
    return find_builds(scene, in);
  }
  Scene scene = look_at_host(in);
  std::vector<Leak> candidates;
  for (const LeakKind& kind : kinds)
    for (Leak& leak : kind.find(scene, in)) candidates.push_back(std::move(leak));
  // After the look at the host: an object that was there then had its row before. But a process of
  // the network gets into the record when it runs already, while its starter holds the lock.
  bool net_changes = sys::FileLock::is_held(net_lock(dirs));
  std::set<std::string> rows = state.vm_ids();
  std::set<std::string> known; // identities of processes
  for (HostObject& o : state.host_objects()) known.insert(std::move(o.identity));
  for (const Image& image : state.images()) rows.insert(image.id);
  if (!read_net(state).dir.empty()) rows.insert(std::string(network));
  std::erase_if(candidates, [&](const Leak& l) {
    if (l.process && l.row == network) return net_changes || known.contains(identity_of(l.process));
    return !l.row.empty() && rows.contains(l.row);
  });
  // A temporary in a directory that is itself a leak goes with that.
  std::erase_if(candidates, [&](const Leak& l) {
    return l.object == "temporary" && !l.owner.empty() && !rows.contains(l.owner);
  });
  return candidates;
}

} // namespace

std::vector<Leak> find_leaks(Reader& in) {
  std::vector<Leak> found = look(in);
  if (found.empty()) return found;
  // An object that another command is just making or removing shows for a moment only.
  sys::sleep_for(time_to_end);
  std::vector<Leak> again = look(in);
  std::erase_if(found, [&](const Leak& l) {
    return std::find(again.begin(), again.end(), l) == again.end();
  });
  return found;
}

void remove_leak(Reader& in, const Leak& leak) {
  bool has_disks = leak.object == "vm" || leak.object == "image";
  auto info = leak.path.empty() ? std::nullopt : sys::find_link_info(leak.path);
  if (has_disks && info && info->mtime_ns < in.state.made().ns)
    throw conflict("cannot remove '{}': it is older than this state", leak.path)
        .subject(leak.path)
        .hint(fmt::format("if no state file needs it: rm -r {}", leak.path));
  if (has_disks && in.state.is_absent())
    throw conflict("cannot remove '{}': there is no state file that tells what it is", leak.path)
        .subject(leak.path)
        .hint(fmt::format("if no state file needs it: rm -r {}", leak.path));
  for (const LeakKind& kind : kinds)
    if (kind.object == leak.object) kind.remove(leak, in);
}

} // namespace banger::ops
