// The state: one SQLite file (WAL, synchronous=FULL). The only room that sees SQLite.
//
// Guarantees: a commit that returned is on the disk, unless it was made to outlive processes only
// (synchronous=NORMAL for that one); a power cut takes such commits from the last one backwards,
// and none that one on the disk came after. Every write happens in one IMMEDIATE transaction; only
// whole transactions are retried, never parts. Readers never block writers, and writers stand in a
// line. The busy handler sleeps 0.3 ms a try, 30 s at most, then Error(timeout). No transaction may
// span an exec, network traffic or a boot.
//
// Opening for writing makes the directory (0700) and file, and brings an older schema up to date:
// numbered migrations, each applied together with its record in one transaction. Opening for
// reading brings it up to date too and makes nothing: where there is no state yet, it is empty
// (is_absent()). Refused, with the file left as it is and a hint:
//   a file that is no database, or not ours      Error(failed), hint how to move it aside
//   a schema newer than this build's             Error(conflict)
//   a state directory that others can read       Error(preflight), hint: chmod 700
//   a state directory on a network file system   Error(preflight)
//   a state directory of more than 480 bytes     Error(preflight)
//
// A monitor of the build before that runs on while its state is brought up to date still reads and
// writes it (state/older_monitors.h).
//
// The last process to close the file folds SQLite's log into it, so that the next has nothing to
// recover, whatever was killed before.
//
// Not thread safe; one State a process. Owns the database handle and its prepared statements.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/outlives.h"
#include "model/event.h"
#include "model/host_object.h"
#include "model/image.h"
#include "model/settings.h"
#include "model/snapshot.h"
#include "model/vm.h"
#include "state/mode.h"
#include "state/net_place.h"

namespace banger::state {

class Db; // state/db.h

class State {
public:
  // `patience`: how long others may be in the way, where 30 s are too long.
  static State open(const Dirs& dirs, Mode mode, std::optional<Millis> patience = {});
  State(State&&) noexcept;
  State& operator=(State&&) noexcept;
  ~State();

  // From the next call on.
  void set_patience(Millis patience);

  bool is_absent() const;
  Mode mode() const;
  // 4 hex digits, given when the state was made; empty when absent.
  const std::string& tag() const;
  // When it was made; 0 when absent.
  WallTime made();

  // Runs `body` in one IMMEDIATE transaction and commits; an exception rolls back. The methods
  // below that change something join a transaction that is open, or make their own; so does a
  // transaction() within another. A joined one that throws takes back its own changes, and the
  // outer one can go on. `body` may run again when the database was busy: it must have no other
  // effect. Error(failed) in a State opened for reading. A joined one outlives what the outer does.
  void transaction(const std::function<void()>& body, Outlives outlives = Outlives::power_cut);

  // --- VMs. `ref` is a name, or a unique id prefix; a name beats a prefix. A prefix of several
  // throws Error(usage).
  std::vector<Vm> vms(); // by name
  // Those whose row says that somebody works on them or runs them: stopped and failed ones only of
  // --rm.
  std::vector<Vm> busy_vms();
  std::optional<Vm> find_vm(const std::string& ref);
  // Throws Error(not_found) with did-you-mean.
  Vm get_vm(const std::string& ref);
  std::optional<Vm> find_vm_by_id(const std::string& id);
  // Adds a row and gives it a reach address of its own (127.X.Y.N of the tag's range, lowest free,
  // N from 1 to 254, then the next Y) unless vm.reach is set. Throws Error(conflict) if the name
  // exists or vm.reach is another's, Error(not_found) if vm.image_id is set and is no image's that
  // is ready. vm.id must be set. Returns the row as stored.
  Vm add_vm(Vm vm);
  // One that add_vm() would give now.
  std::string free_reach();
  // Loads the row, lets `change` edit it, stores all of it: one transaction. id and name may not
  // change (Error(failed)), the image only to one that is there and ready (Error(not_found)).
  // Throws Error(not_found) if the VM is gone.
  Vm change_vm(const std::string& id, const std::function<void(Vm&)>& change,
               Outlives outlives = Outlives::power_cut);
  // Absence is no failure.
  void remove_vm(const std::string& id);

  // --- Questions about VMs that need no whole VM for their answer; by name.
  std::vector<std::string> vm_names();
  // By its name alone: a prefix of an id is none.
  bool has_vm_named(const std::string& name);
  std::set<std::string> vm_ids();
  struct Lease {
    std::string id, vm;
    VmState state = VmState::stopped;
    std::string address;
    int prefix = 0;
  };
  std::vector<Lease> leases(NetMode mode); // of one network
  struct PublishedPort {
    std::string id, vm;
    Port port;
  };
  std::vector<PublishedPort> published_ports();
  struct ImageUser {
    std::string vm;
    VmState state = VmState::stopped;
    bool by_snapshot = false; // it stands on another image, and a snapshot of it on this one
  };
  // VMs that stand on it, or that have a snapshot which does.
  std::vector<ImageUser> image_users(const std::string& image_id);
  std::vector<std::string> runtime_dirs(); // of present runs

  // --- Snapshots of a VM, given by its id; the oldest first. They go with the VM.
  std::vector<Snapshot> snapshots(const std::string& vm);
  // Throws Error(conflict) if the VM has one of that name.
  Snapshot add_snapshot(Snapshot snapshot);
  // Absence is no failure.
  void remove_snapshot(const std::string& id);
  // The VM of before, while a restore of it is not over (Snapshot::restoring).
  std::optional<Snapshot> before_restore(const std::string& vm);

  // --- Objects on the host. A place and its objects are stored whole: objects of it that are not
  // named any more are forgotten.
  std::vector<HostObject> host_objects();
  std::vector<HostObject> host_objects(ObjectKind kind);
  std::vector<HostObject> host_objects_of(const std::string& vm);
  std::optional<NetPlaceRecord> net_place(const std::string& name);
  void set_net_place(const NetPlaceRecord& place, Outlives outlives);
  // One that belongs to no place; one of that kind and name that is there is replaced.
  void put_host_object(const HostObject& object, Outlives outlives);
  // Those that belong to that VM and to no place.
  void remove_host_objects(ObjectKind kind, const std::string& vm, Outlives outlives);
  void remove_net_place(const std::string& name, Outlives outlives);

  // --- Ports of a VM whose opening or closing on the host has begun and has not ended: the process
  // that does it may have died. By the VM's id; they go with the VM.
  void begin_port_change(const std::string& vm, const std::vector<Port>& ports);
  void end_port_change(const std::string& vm);
  std::map<std::string, std::vector<Port>> changing_ports();

  // --- Images.
  std::vector<Image> images(); // by name
  std::optional<Image> find_image(const std::string& ref);
  Image get_image(const std::string& ref);
  // Throws Error(conflict) if the name exists.
  Image add_image(Image image);
  // As change_vm. A new name is told to the VMs that stand on it; Error(conflict) if it is
  // another's.
  Image change_image(const std::string& id, const std::function<void(Image&)>& change);
  // Throws Error(conflict) that names the VMs that stand on it. Absence is no failure.
  void remove_image(const std::string& id);

  // --- Events: a ring of the last 10,000.
  void add_event(const Event& event);
  // Those after `seq`, oldest first, of one VM (name) or of all.
  std::vector<Event> events(int64_t after_seq, const std::string& vm = {}, int limit = 1000);

  // --- Small facts by key ("accel.verdict", "tsc_khz", …).
  std::optional<std::string> fact(const std::string& key);
  void set_fact(const std::string& key, const std::string& value,
                Outlives outlives = Outlives::power_cut);

  // Takes away what monitors of an older build need of the database, once none of them runs.
  void dismiss_older_monitors();

  // Takes room for this process's commits as long as it has the state open, so that they succeed on
  // a full disk, too: 9 MiB, shared by all such processes. False where the disk has not got it.
  bool keep_room();

  // A number that changes with every commit of another process (PRAGMA data_version).
  int64_t data_version();

  // Writes a consistent copy to `path`, 0600, whole or not at all. Throws Error(conflict) if it
  // exists. The copy is a state file itself: moved to state.db it is used as it is.
  void backup(const std::string& path);

private:
  State(std::unique_ptr<Db> db, Mode mode, std::string tag);
  std::unique_ptr<Db> db_;
  Mode mode_;
  std::string tag_;
};

} // namespace banger::state
