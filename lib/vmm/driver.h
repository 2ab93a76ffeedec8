// The interface to a VMM of any kind.
//
//   Driver   stateless: knows how one kind of VMM is started (Launch) and spoken to
//   Running  one VMM that runs, as its monitor speaks to it:
//            made by attach() right after the start,
//            or for a VMM that another monitor started
//
// No call of Running waits. Each completes from the loop, once, with its result or with an Error:
// unreachable where the VMM has gone or does not answer in the call's time, failed or conflict
// where it refuses. Calls that are still open when a Running is destroyed are dropped. A
// completion may destroy the Running that calls it.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/error.h"
#include "sys/loop.h"
#include "vmm/counters.h"
#include "vmm/ending.h"
#include "vmm/launch.h"
#include "vmm/machine.h"

namespace banger::vmm {

using Done = std::function<void(std::optional<Error>)>;

// Why a VMM has stopped its guest's processors. The guest's pending writes are kept, and made when
// it goes on.
struct Pause {
  std::string disk{};   // its file in the runtime directory, if that could not be written
  bool is_full = false; // because there was no room
  std::string why{};    // the VMM's word for it; may be empty
  bool asked = false;   // pause() asked for it; false: a fault stopped it
  bool operator==(const Pause&) const = default;
};

// What a guest tells of its memory, by its balloon driver; bytes. A hostile one tells anything.
struct GuestMemory {
  int64_t total = 0;
  int64_t free = 0;      // in no use at all
  int64_t available = 0; // what it could give to programs without swapping
  bool operator==(const GuestMemory&) const = default;
};
using MemoryDone = std::function<void(std::expected<GuestMemory, Error>)>;
using CountersDone = std::function<void(std::expected<Counters, Error>)>;

// A VMM's reports that no call asked for, from the loop or from read_rest().
struct Told {
  std::function<void(VmmEvent)> event;
  // None: its guest runs. Told with each change, and once after attach() or take_up().
  std::function<void(std::optional<Pause>)> pause;
  // The guest was given an error of a disk, "root: read: input/output error". The same one is told
  // once.
  std::function<void(const std::string&)> disk_fault;
  // A line that the VMM wrote to its log (Launch::log).
  std::function<void(const std::string&)> said;
};

// Ports of the VMM's own user-mode network (UserNet), added or removed while the guest runs.
class UserNetControl {
public:
  virtual ~UserNetControl() = default;
  // Error(conflict) when the VMM refuses.
  virtual void add_forward(const Port& port, const std::string& guest, Done done) = 0;
  // Absence is no failure.
  virtual void remove_forward(const Port& port, Done done) = 0;
};

class Running {
public:
  virtual ~Running() = default;
  // The step after the start: makes the guest run, from its memory where Machine::saved says so.
  // Awaits sockets that the VMM makes itself.
  virtual void boot(const Machine& machine, Done done) = 0;
  // Ctrl-Alt-Del, the one knock that every guest's init hears.
  virtual void knock(Done done) = 0;
  // Whether no processor of the guest will ever go on. False where that cannot be found out now.
  virtual void look_whether_halted(std::function<void(bool)> done) = 0;
  // Error(unreachable) also for a guest that does not tell: one that has no driver, or still boots.
  virtual void look_at_memory(MemoryDone done) = 0;
  // What it has counted since it was started or, where it tells only what is new, since it was
  // attached to. Error(unreachable) also for one that was started to count nothing.
  virtual void look_at_counters(CountersDone done) = 0;
  // For a VMM that another monitor started: Told::pause is told how its guest is.
  virtual void take_up() {}
  // Stops all of the guest's processors; Told::pause tells when they stand.
  virtual void pause(Done done) = 0;
  // Changes the limits of these disks and, where there is one, of the tap, each to what it says. A
  // guest that stands still has them, too. Where one is refused, others may have been changed.
  virtual void limit(const std::vector<Disk>& disks, const std::optional<RateLimit>& net,
                     Done done) = 0;
  // Writes the guest's memory and devices to files in `dir`, where there are none and to which the
  // link saved_dir leads. The guest must stand still (pause()), and does so afterwards. It takes as
  // long as the memory is large; a resume() meanwhile may end it, with an error. What it has
  // written is the caller's to remove then, and the caller's to look at: the VMM may have put
  // anything there.
  virtual void save(const std::string& dir, Done done) = 0;
  // Lets a guest go on that a Pause has stopped. Where the cause is there still, another comes.
  virtual void resume(Done done) = 0;
  // Reads the reports that the VMM made before it ended, and tells them now.
  virtual void read_rest() {}
  // "7.2.22"; empty until the VMM has introduced itself.
  virtual std::string version() const = 0;
  // Null where the VMM has no such network.
  virtual UserNetControl* user_net() { return nullptr; }
};

// The abilities of a kind of VMM.
struct Abilities {
  bool user_net = false;      // a network of its own, for a guest that is alone (UserNet)
  bool emulates = false;      // it runs guests without KVM
  bool devices_apart = false; // it saves a guest's devices in saved_devices
  bool limits_net = false;    // it limits what goes through a tap
  int most_cpus = banger::most_cpus;
};

class Driver {
public:
  virtual ~Driver() = default;
  virtual Abilities abilities() const = 0;
  virtual SerialLine serial_line() const = 0;
  // The socket of its own protocol in the runtime directory, for people.
  virtual std::string api_socket() const = 0;
  // Throws Error(failed) for a machine that this VMM is not able to run.
  virtual Launch launch(const Machine& machine) const = 0;
  // Never fails: a VMM that cannot be spoken to fails the calls.
  virtual std::unique_ptr<Running> attach(sys::Loop& loop, const std::string& runtime_dir,
                                          Told told) const = 0;
};

} // namespace banger::vmm
