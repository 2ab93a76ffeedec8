#include "ops/recover/leaks.h"

#include <algorithm>
#include <set>

#include "bundle/runtime_dir.h"
#include "core/error.h"
#include "ops/net/record.h"
#include "ops/recover/leak_kinds.h"
#include "sys/file.h"
#include "sys/lock.h"
#include "sys/wait.h"

namespace banger::ops {

namespace {

// How long a process whose row has just gone may take to end by itself, and a writer to rename what
// it has closed.
constexpr Millis time_to_end{500};

// In the order in which they are to be removed: processes before what they use.
constexpr LeakKind kinds[] = {{find_forwards, remove_forward},
                              {find_taps, remove_tap},
                              {find_processes, end_process},
                              {find_bridge, remove_of_bridge},
                              {find_bridges_of_none, remove_bridge_of_none},
                              {find_mapped, unmap},
                              {find_loops, clear_loop},
                              {find_runtime, remove_path},
                              {find_vm_dirs, remove_path},
                              {find_image_dirs, remove_path},
                              {find_temporaries, remove_temporary},
                              {find_builds, remove_path}};
// Those of which there may be some without a state: a bundle may be the first thing that a user
// makes, and a state is removed as any directory is.
constexpr bool needs_state(const LeakKind& kind) {
  return kind.find != find_bridges_of_none && kind.find != find_builds;
}

// Every object that is there now and that no row accounts for.
std::vector<Leak> look(Reader& in, const OnUnseen& unseen) {
  const Dirs& dirs = in.dirs;
  state::State& state = in.state;
  bool has_state = sys::exists(dirs.state);
  Scene scene = has_state ? look_at_host(in) : look_without_state(in);
  std::vector<Leak> candidates;
  if (!scene.unseen.empty()) unseen(scene.unseen, scene.mend);
  for (const LeakKind& kind : kinds) {
    if (!has_state && needs_state(kind)) continue;
    for (Leak& leak : kind.find(scene, in)) {
      leak.kind = &kind;
      candidates.push_back(std::move(leak));
    }
  }
  if (!has_state) return candidates;
  // After the look at the host: an object that was there then had its row before. But a process of
  // the network gets into the record when it runs already, while its starter holds the lock.
  bool net_changes = sys::FileLock::is_held(net_lock(dirs));
  std::set<std::string> rows = state.vm_ids();
  std::set<std::string> known; // identities of processes
  for (HostObject& o : state.host_objects()) known.insert(std::move(o.identity));
  for (const Image& image : state.images()) rows.insert(image.id);
  for (NetMode mode : shared_networks)
    if (std::string dir = read_net(state, mode).dir; !dir.empty())
      rows.insert(dir.substr(dir.rfind('/') + 1));
  std::erase_if(candidates, [&](const Leak& l) {
    if (l.process && is_network(l.row))
      return net_changes || known.contains(identity_of(l.process));
    return !l.row.empty() && rows.contains(l.row);
  });
  // A temporary in a directory that is itself a leak goes with that.
  std::erase_if(candidates, [&](const Leak& l) {
    return l.object == "temporary" && !l.owner.empty() && !rows.contains(l.owner);
  });
  return candidates;
}

} // namespace

std::vector<Leak> find_leaks(Reader& in, const OnUnseen& unseen) {
  std::vector<Leak> found = look(in, unseen);
  if (found.empty()) return found;
  // An object that another command is just making or removing shows for a moment only.
  sys::sleep_for(time_to_end);
  std::vector<Leak> again = look(in, [](auto&, auto&) {});
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
  leak.kind->remove(leak, in);
}

} // namespace banger::ops
