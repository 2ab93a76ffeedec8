// The words between verbs and a VM's monitor: one JSON object a line, each with "v".
//
//   spawn      verb ──> monitor  MonitorRequest, the first line on descriptor 3 (a socket)
//              verb <── monitor  Report lines on the same: locked, stage…, ready | failed
//   later      verb ──> monitor  Ask on monitor.sock: stop, kill, pause, resume, save, release,
//                                console, publish, unpublish, limit, memory, counters; or nothing:
//                                a verb that only connects hears how the VM goes on
//              verb <── monitor  Report lines: stage…, ready, ended; then the end of the connection
//
// A question has an id, "id":7, and one answer with the same id: done or failed. A stage with that
// id says that it is at it (save, every second). A report to all has the id 0; a verb that connects
// hears first how far a start or a stop has come, if one is under way. ops/link/client.h is the
// verbs' end of this.
//
// Keys that are not known are ignored, and a verb that is not known gets a failed report, so that
// verbs and monitors of neighbouring versions understand each other. A line that cannot be read, or
// is of a newer version (model/message.h), gets one too, and the end of the connection. A build
// before had no ids: its monitors send none, and its verbs' questions are answered without.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/error.h"
#include "core/units.h"
#include "model/settings_json.h"
#include "model/vm.h"
#include "model/wire.h"
#include "vmm/driver.h"

namespace banger::ops {

inline constexpr int request_fd = 3;

struct MonitorRequest {
  std::string vm; // its id
  std::string op; // the operation's id, for the logs
  std::string log_level;
  std::string state_dir, runtime_root, libexec_dir;
  std::string kernel, initrd; // absolute
  std::string vmm_binary;
  Accel accel = Accel::tcg;
  int64_t tsc_khz = 0;
  Settings settings = {};      // the verb's
  int64_t begun_ns = 0;        // wall time at which the verb began
  bool adopt = false;          // take over a VMM that runs, instead of starting one
  std::string saved = {};      // a directory: the guest goes on from what is there; empty: it boots
  VmmKind vmm = VmmKind::qemu; // whose program vmm_binary is
  bool operator==(const MonitorRequest&) const = default;
};

struct Report {
  enum class Kind {
    locked,
    stage,
    ready,
    failed, // the start, or what was asked with its id
    ended,
    done // what was asked with its id
  };
  Kind kind = Kind::stage;
  std::string stage;          // a word: vmm, kernel, init, network, port, ssh, login
  std::string text;           // for people; of ready: what is wrong all the same
  std::optional<Error> error; // failed
  std::string state; // ended, and done of stop, pause and resume: the state it left the VM in
  std::optional<int64_t> id = {}; // of the question; 0: said to all; none: by a build before
  std::string doing = {};         // stage: what it is at, where nothing is wrong (BootStage)
  std::optional<vmm::GuestMemory> memory = {}; // done of memory
  std::optional<vmm::Counters> counters = {};  // done of counters
};
Json to_json(const vmm::Counters& counters);
Report stage_report(std::string word, std::string text, std::string doing = {});
Report failure_report(const Error& e);

struct Ask {
  std::string verb;      // "stop", "kill", "pause", "resume", "save", "release", "console",
                         // "publish", "unpublish", "limit", "memory", "counters"
  Millis timeout{0};     // stop: how long the guest may take
  std::string data = {}; // console: bytes that were typed; publish: a port (model/port.h); save:
                         // the directory for its memory; limit: all limits
                         // (model/rate_limit.h)
  int64_t id = 0;        // its answer's; 0: none is wanted but a refusal
  bool exact = false;    // stop: `timeout` is for all until force, and no longer under emulation
};

std::string to_line(const MonitorRequest& r);
std::string to_line(const Report& r);
std::string to_line(const Ask& a);
// Throw Error(failed) for a line that is none.
MonitorRequest parse_monitor_request(std::string_view line);
Report parse_report(std::string_view line);
Ask parse_ask(std::string_view line);

} // namespace banger::ops
