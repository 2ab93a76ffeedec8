// What verbs and a VM's monitor say to each other: one JSON object a line, each with "v".
//
//   spawn      verb ──> monitor  MonitorRequest, the first line on descriptor 3 (a socket)
//              verb <── monitor  Report lines on the same: locked, stage…, ready | failed
//   later      verb ──> monitor  Ask on monitor.sock: stop, kill, console, publish, unpublish; or
//                                nothing: who only connects is told how the VM goes on
//              verb <── monitor  Report lines: stage…, ready, ended; then the end of the connection
//
// Keys that are not known are ignored, and a verb that is not known gets a failed report, so that
// verbs and monitors of neighbouring versions understand each other. A line that cannot be read, or
// is of a newer version (model/message.h), gets one too, and the end of the connection.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "core/error.h"
#include "core/units.h"
#include "model/settings.h"
#include "model/vm.h"
#include "model/wire.h"

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
  bool isolated_outbound = false;
  Millis stop_timeout{10'000}; // of a stop that a signal asks for
  int64_t begun_ns = 0;        // wall time at which the verb began
  bool adopt = false;          // take over a VMM that runs, instead of starting one
  VmmKind vmm = VmmKind::qemu; // whose program vmm_binary is
  bool operator==(const MonitorRequest&) const = default;
};

struct Report {
  enum class Kind { locked, stage, ready, failed, ended };
  Kind kind = Kind::stage;
  std::string stage;          // a word: vmm, kernel, init, network, port, ssh, login
  std::string text;           // for people; of ready: what is wrong all the same
  std::optional<Error> error; // failed
  std::string state;          // ended: the state it left the VM in
  std::string doing = {};     // stage: what it is at, where nothing is wrong (BootStage)
};

struct Ask {
  std::string verb;      // "stop", "kill", "console", "publish", "unpublish"
  Millis timeout{0};     // stop: how long the guest may take
  std::string data = {}; // console: bytes that were typed; publish: a port (model/port.h),
                         // answered by a stage of the verb's name
};

std::string to_line(const MonitorRequest& r);
std::string to_line(const Report& r);
std::string to_line(const Ask& a);
// Throw Error(failed) for a line that is none.
MonitorRequest parse_monitor_request(std::string_view line);
Report parse_report(std::string_view line);
Ask parse_ask(std::string_view line);

// Asks the monitor at `socket` and follows its reports until `ended`, which is returned, or
// `failed`, which is thrown. Throws Error(unreachable) when no monitor answers, or when it dies
// before it said how it ended; Error(timeout) when `timeout` passed, or `first` before it said
// anything at all.
Report ask_monitor(const std::string& socket, const Ask& ask, Millis timeout,
                   const std::function<void(const Report&)>& on_stage,
                   std::optional<Millis> first = {});

} // namespace banger::ops
