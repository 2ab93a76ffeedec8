#include "ops/vm/snapshot.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include <fcntl.h>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/text.h"
#include "core/undo.h"
#include "disk/ext4.h"
#include "disk/snapshot.h"
#include "model/words.h"
#include "ops/common/places.h"
#include "ops/host/checks.h"
#include "ops/link/client.h"
#include "ops/release/snapshots.h"
#include "ops/vm/hold.h"
#include "ops/vm/lease.h"
#include "sys/copy.h"
#include "sys/file.h"
#include "sys/lock.h"
#include "sys/own_file.h"
#include "sys/signals.h"
#include "vmm/drivers.h"

namespace banger::ops {

namespace {

constexpr std::string_view usual_name = "snapshot";
// The memory of a large guest, on a slow disk. Meanwhile its monitor tells every second that it
// lives.
constexpr Millis time_to_save{1'800'000}, longest_silence{10'000}, time_to_release{20'000};

std::string next_name(const std::vector<Snapshot>& all) {
  uint64_t last = 0;
  for (const Snapshot& s : all) {
    uint64_t n = 0; // one that is larger is nobody's count
    if (!s.name.starts_with(usual_name)) continue;
    const char *from = s.name.data() + usual_name.size(), *to = s.name.data() + s.name.size();
    auto [end, error] = std::from_chars(from, to, n);
    if (error == std::errc() && end == to && n < std::numeric_limits<uint64_t>::max())
      last = std::max(last, n);
  }
  return fmt::format("{}{}", usual_name, last + 1);
}

Snapshot find_snapshot(Context& ctx, const Vm& vm, const std::string& name,
                       std::string_view doing) {
  std::vector<std::string> names;
  for (const Snapshot& s : ctx.state.snapshots(vm.id)) {
    if (s.name == name) return s;
    names.push_back(s.name);
  }
  auto near = did_you_mean(name, names);
  throw not_found("cannot {}: '{}' has no snapshot '{}'", doing, vm.name, name)
      .subject(vm.name)
      .hint(near ? fmt::format("did you mean '{}'?", *near)
            : names.empty()
                ? fmt::format("banger vm snapshot create {} makes one", vm.name)
                : fmt::format("banger vm snapshot list {} shows what there is", vm.name));
}

// A guest that stands still for this process: it goes on when this object goes, whatever way.
class StandingGuest {
public:
  // Interrupted by a signal that comes at `signals`.
  StandingGuest(Context& ctx, const Vm& vm, const Places& places, const std::string& memory_dir,
                int signals)
      : client_(loop_, connect_monitor(places, vm), {[&ctx, name = vm.name](const Report& r) {
                  // What else the monitor tells is told to all, and no news to the one who asked.
                  if (r.stage == "saving" || r.stage == "silent") ctx.stage(name, r.text);
                }}) {
    loop_.watch(signals, [] { sys::throw_if_interrupted(); });
    ask({"save", Millis(0), memory_dir}, {.answer = time_to_save, .quiet = longest_silence});
  }
  // Throws where it did not stand still all the time, and its disks are not of one moment.
  void release() {
    try {
      ask({"release", Millis(0)}, {.answer = time_to_release});
    } catch (const Error& e) {
      if (e.code() != Code::unreachable) throw;
      throw conflict("it ended meanwhile");
    }
  }
  Millis time() const { return std::chrono::duration_cast<Millis>(steady_now() - since_); }

private:
  void ask(const Ask& question, Client::Patience patience) {
    std::optional<Error> fault;
    client_.ask(question, patience, [&](const auto& answer) {
      if (!answer) fault = answer.error();
      loop_.stop();
    });
    loop_.run();
    if (fault) throw std::move(*fault);
  }

  SteadyTime since_ = steady_now();
  sys::Loop loop_;
  Client client_;
};

int64_t room_for_copy(const std::string& disk, const std::string& dir) {
  auto info = sys::find_info(disk);
  if (!info) throw failed("'{}' is not there", disk);
  return sys::can_clone(disk, dir) ? 0 : info->allocated;
}

int64_t room_for(const Vm& vm, const Places& places) {
  int64_t needs = vm.memory;
  for (const std::string& disk : own_disks(places)) needs += room_for_copy(disk, places.dir);
  return needs;
}

disk::SavedMachine machine_of(const Vm& vm) {
  return {vm.vmm,       vm.vmm_version, vm.accel.value_or(Accel::tcg),
          vm.cpus,      vm.memory,      vm.root_size,
          vm.work_size, vm.net_mode,    vm.address,
          vm.gateway,   vm.mac,         vm.prefix};
}

void require_snapshots(const Vm& vm) {
  if (vm.state == VmState::running) return;
  if (vm.state == VmState::paused && vm.reason == paused_on_request) return;
  std::string why = vm.state == VmState::paused ? ": " + vm.reason : "";
  throw conflict("cannot snapshot '{}': {}{}", vm.name, is_now(vm.state), why)
      .subject(vm.name)
      .hint(vm.state == VmState::paused ? "it goes on by itself when that is over"
            : vm.state == VmState::starting
                ? fmt::format("banger vm wait {} waits until it answers", vm.name)
                : fmt::format("a snapshot has a running guest's memory: banger vm start {}",
                              vm.name));
}

// The names that its VMM was to write, and no others: what else lies there is removed with the
// directory's content. They are looked at where the VMM can replace them no more.
void take_memory(const Vm& vm, const std::string& from, const std::string& to) {
  std::vector<std::string> names{vmm::memory_name};
  if (vmm::driver(vm.vmm, {})->abilities().devices_apart) names.emplace_back(vmm::devices_name);
  for (const std::string& name : names) {
    std::string file = fmt::format("{}/{}", to, name);
    sys::rename(fmt::format("{}/{}", from, name), file);
    sys::open_own(file, sys::OwnKind::file, O_RDONLY);
  }
}

// Puts the disks of a snapshot in the place of the VM's, decided by one transaction with all that
// the row has of it; what the VM was is kept until its guest goes on (settle_restore). `places`: of
// the VM on the snapshot's image.
Vm take_disks(Context& ctx, const Vm& vm, const Snapshot& snapshot,
              const disk::SavedMachine& machine, const Places& places) {
  ctx.stage(vm.name, "copying its disks");
  std::string dir = snapshot_dir(places, snapshot.id), kept = before_restore_dir(places);
  std::vector<std::string> disks = own_disks(places);
  sys::Signals signals({SIGINT, SIGTERM, SIGHUP}); // as make_snapshot() does
  Undo undo(ctx.log);
  undo.push("remove the disks of the snapshot", [&] {
    for (const std::string& disk : disks) sys::remove_file(restored_disk(disk));
    sys::remove_tree(kept);
  });
  for (const std::string& disk : disks) {
    sys::remove_file(restored_disk(disk));
    disk::copy_disk(fmt::format("{}/{}", dir, file_name(disk)), restored_disk(disk),
                    sys::throw_if_interrupted);
    sys::sync_file(restored_disk(disk));
  }
  sys::remove_tree(kept);
  sys::make_dir(kept);
  disk::write_manifest(kept, {0, machine_of(vm), {}});
  sys::sync_dir(places.dir);
  Image image = ctx.state.get_image(snapshot.image_id);
  sys::throw_if_interrupted();
  ctx.state.transaction([&] {
    ctx.state.add_snapshot({new_id(), vm.id, ".before", vm.image_id, wall_now(), true});
    ctx.state.change_vm(vm.id, [&](Vm& v) {
      give_network(ctx, machine, v);
      take_sizes(machine, v);
      v.image_id = image.id;
      v.image_name = image.name;
    });
    record(ctx, vm.name, "vm.restoring", {{"snapshot", snapshot.name}});
  });
  undo.dismiss();
  for (const std::string& disk : disks) {
    sys::rename(disk, fmt::format("{}/{}", kept, file_name(disk)));
    sys::rename(restored_disk(disk), disk);
  }
  sys::sync_dir(kept);
  sys::sync_dir(places.dir);
  return ctx.state.get_vm(vm.id);
}

// What a restore has left that is over: the disks of before or, where its guest has not gone on,
// those of the snapshot. What cannot be done now the next command does.
void tidy_up(Context& ctx, const Vm& vm, Error* fault) {
  try {
    bool is_over = !ctx.state.before_restore(vm.id);
    Vm now = hold_vm(ctx, vm.id, "restore").vm;
    if (fault && !is_over && !is_live(now.state))
      fault->default_hint(fmt::format("'{}' has the disks that it had before: banger vm start {}",
                                      vm.name, vm.name));
  } catch (const Error& e) {
    ctx.log.warn("vm.restore.tidy", e);
  }
}

} // namespace

MadeSnapshot make_snapshot(Context& ctx, const std::string& ref,
                           const std::optional<std::string>& name) {
  LogSpan timed(ctx.log, "vm.snapshot", ref);
  HeldVm held = hold_vm(ctx, ref, "snapshot");
  const Vm& vm = held.vm;
  timed.about(vm.name);
  Places places = places_of(ctx.dirs, ctx.state.tag(), vm);
  auto making = sys::FileLock::try_take(snapshot_lock(places));
  if (!making)
    throw conflict("cannot snapshot '{}': another snapshot of it is being made", vm.name)
        .subject(vm.name)
        .hint("wait for the command that makes it, or end that");
  require_snapshots(vm);
  held.lock.release();
  auto others = ctx.state.snapshots(vm.id);
  MadeSnapshot made;
  made.vm = vm.name;
  made.snapshot = {new_id(),
                   vm.id,
                   name ? valid_name("snapshot name", *name) : next_name(others),
                   vm.image_id,
                   {}};
  if (std::ranges::find(others, made.snapshot.name, &Snapshot::name) != others.end())
    throw conflict("'{}' has a snapshot '{}' already", vm.name, made.snapshot.name)
        .subject(vm.name)
        .hint(fmt::format("take another name; banger vm snapshot rm {} {} removes that snapshot, "
                          "which cannot be brought back",
                          vm.name, made.snapshot.name));
  std::string half = half_made_snapshot(places), whole = snapshot_dir(places, made.snapshot.id);
  // Signals end this where it looks for them, once nothing is left of the snapshot.
  sys::Signals signals({SIGINT, SIGTERM, SIGHUP});
  Undo undo(ctx.log);
  try {
    require_space(places.dir, room_for(vm, places));
    sys::make_dir(half);
    undo.push("remove the snapshot", [half] { sys::remove_tree(half); });
    std::string memory = memory_dir(places);
    sys::make_dir(memory);
    undo.push("remove the memory", [places] { clear_memory_dir(places); });
    ctx.stage(vm.name, "saving its memory");
    {
      StandingGuest guest(ctx, vm, places, memory, signals.fd());
      ctx.stage(vm.name, "copying its disks");
      // What its VMM wrote to the device may not be in the file below it yet.
      if (!places.mapped.empty()) sys::sync_file(places.mapped);
      for (const std::string& disk : own_disks(places))
        disk::copy_disk(disk, fmt::format("{}/{}", half, file_name(disk)),
                        sys::throw_if_interrupted);
      made.snapshot.created = wall_now();
      guest.release();
      made.still = guest.time();
    }
    ctx.stage(vm.name, "writing the snapshot to the disk");
    take_memory(vm, memory, half);
    disk::seal_snapshot(half, machine_of(vm), sys::throw_if_interrupted);
    made.used = used_by_snapshot(half);
    sys::throw_if_interrupted();
    sys::make_dir(whole.substr(0, whole.rfind('/'))); // where the VM's directory is there still
    sys::rename(half, whole);
    undo.push("remove the snapshot", [whole] { sys::remove_tree(whole); });
    sys::sync_dir(whole.substr(0, whole.rfind('/')));
    sys::sync_dir(places.dir);
    ctx.state.transaction([&] {
      if (!ctx.state.find_vm_by_id(vm.id)) throw not_found("it was removed meanwhile");
      // Once the VM is reset to another image, nothing but a snapshot keeps this one.
      if (auto image = ctx.state.find_image(vm.image_id); !image || !image->ready)
        throw conflict("its image '{}' was removed meanwhile", vm.image_name);
      ctx.state.add_snapshot(made.snapshot);
      record(ctx, vm.name, "vm.snapshot", {{"snapshot", made.snapshot.name}});
    });
  } catch (Error& e) {
    throw std::move(
        e.within(fmt::format("cannot snapshot '{}'", vm.name)).default_subject(vm.name));
  }
  undo.dismiss();
  return made;
}

Reached restore_snapshot(Context& ctx, const std::string& ref, const std::string& name,
                         StartOptions options) {
  LogSpan timed(ctx.log, "vm.restore", ref);
  HeldVm held = hold_stopped_vm(ctx, ref, "restore");
  const Vm vm = held.vm;
  timed.about(vm.name);
  Snapshot snapshot = find_snapshot(ctx, vm, name, "restore");
  auto as_it_was = [&](Vm v) {
    v.image_id = snapshot.image_id;
    return v;
  };
  Places places = places_of(ctx.dirs, ctx.state.tag(), as_it_was(vm));
  std::string dir = snapshot_dir(places, snapshot.id);
  bool taken = false;
  try {
    ctx.stage(vm.name, "checking the snapshot");
    disk::Manifest manifest = disk::read_manifest(dir);
    if (vm.net_mode != manifest.machine.net_mode) require_mode(ctx, vm, manifest.machine.net_mode);
    give_network(ctx, manifest.machine, held.vm); // a trial
    held.vm = vm;
    std::vector<std::string> disks = own_disks(places), needs{disk::memory_file};
    for (const std::string& disk : disks) needs.push_back(file_name(disk));
    if (vmm::driver(manifest.machine.vmm, {})->abilities().devices_apart)
      needs.emplace_back(vmm::devices_name);
    disk::verify_snapshot(dir, manifest, needs);
    if (own_root(places) != places.root) disk::ext4_size(places.root); // the image that is below
    options.saved = SavedGuest{dir, manifest.machine, [&](Context& c) {
                                 taken = true;
                                 return take_disks(c, vm, snapshot, manifest.machine, places);
                               }};
    int64_t room = 0;
    for (const std::string& disk : disks)
      room += room_for_copy(fmt::format("{}/{}", dir, file_name(disk)), places.dir);
    require_space(places.dir, room);
    Reached reached = start_held(ctx, std::move(held), options);
    tidy_up(ctx, vm, nullptr);
    return reached;
  } catch (Error& e) {
    if (!e.message().starts_with("cannot restore"))
      e.within(fmt::format("cannot restore '{}' from '{}'", vm.name, name));
    e.default_subject(vm.name);
    if (taken) tidy_up(ctx, vm, &e);
    throw;
  }
}

void remove_snapshot(Context& ctx, const std::string& ref, const std::string& name) {
  auto [vm, lock] = hold_vm(ctx, ref, "change");
  Snapshot snapshot = find_snapshot(ctx, vm, name, "remove");
  // Until its guest goes on it reads from the one that it is restored from.
  if (is_live(vm.state) && ctx.state.before_restore(vm.id))
    throw conflict("cannot remove '{}' of '{}': a snapshot of it is being restored", name, vm.name)
        .subject(vm.name)
        .hint(fmt::format("banger vm wait {} waits until it runs", vm.name));
  ctx.state.transaction([&] {
    ctx.state.remove_snapshot(snapshot.id);
    record(ctx, vm.name, "vm.snapshot_removed", {{"snapshot", snapshot.name}});
  });
  sys::remove_tree(snapshot_dir(places_of(ctx.dirs, ctx.state.tag(), vm), snapshot.id));
}

} // namespace banger::ops
