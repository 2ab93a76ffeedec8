// The messages between libexec/banger/banger-guest and the programs that start it: one JSON object
// a line, each with "v":1. Plain values with to_line (no newline at the end) and parse_X. Keys that
// are not known are ignored; another version, or a line that is none of these, is Error(failed).
//
//   keygen --state-keys DIR  ──> {"v":1,"identity":PATH,"public":LINE}
//   await  <── HostKeyRequest  ──> {"v":1,"openssh_private":BASE64,"public":LINE,
//                                   "dropbear_private":BASE64}; as often as it is asked, then
//          <── AwaitRequest    ──> StageReport each time the stage changes; the last one decides
//   run    <── CommandRequest  ──> CommandReply
//   clock  <── ClockRequest    ──> CommandReply
//
// Requests come on standard input, replies go to standard output. A failure is the last line,
// {"v":1,"error":{code,message,hint}}, with the exit status of its code; parse_X throws it as the
// Error that it was. Exit status of await: 0 when the last stage was ready or only keys were asked
// for, 6 at the deadline, 1 for mismatch.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "core/error.h"
#include "guest/identity/endpoint.h"
#include "guest/identity/keys.h"

namespace banger::guest {

// How far a guest is on its way to ready, as seen from outside.
enum class Stage {
  connecting, // not known yet
  no_answer,  // no connection, or a silent one: no network, or still booting
  closed,     // the connection is refused or closed at once: no server listens
  banner,     // an ssh server named itself
  auth,       // its host key is the pinned one; logging in
  refused,    // the login was refused (a guest may refuse while it boots) or the command failed
  mismatch,   // it has another host key: not this guest, final
  ready       // a command was done, final
};
std::string_view name_of(Stage stage);

struct StageReport {
  Stage stage = Stage::connecting;
  double seconds = 0; // since await began
  std::string detail; // for people; may be empty
  bool operator==(const StageReport&) const = default;
};

struct HostKeyRequest {};

struct AwaitRequest {
  Endpoint endpoint;
  double seconds = 60; // the deadline
  bool operator==(const AwaitRequest&) const = default;
};

struct CommandRequest {
  Endpoint endpoint;
  std::string command; // for the guest's shell
  double seconds = 60; // the deadline for all of it
  bool operator==(const CommandRequest&) const = default;
};

// Sets the guest's clock to the host's time after the login, not to that of the request: a busy
// guest takes seconds for a login.
struct ClockRequest {
  Endpoint endpoint;
  double seconds = 60; // the deadline for all of it
  bool operator==(const ClockRequest&) const = default;
};

struct CommandReply {
  int status = 0;     // the command's; 128+n where a signal ended it
  std::string output; // the last 4 KiB of its output (both streams), made safe for a terminal
  bool operator==(const CommandReply&) const = default;
};

struct KeygenReply {
  std::string identity, public_line;
  bool operator==(const KeygenReply&) const = default;
};

std::string to_line(const StageReport& report);
std::string to_line(const HostKeyRequest& request);
std::string to_line(const AwaitRequest& request);
std::string to_line(const CommandRequest& request);
std::string to_line(const ClockRequest& request);
std::string to_line(const CommandReply& reply);
std::string to_line(const KeygenReply& reply);
std::string to_line(const KeyPair& host_key);
std::string to_line(const Error& error);

StageReport parse_stage_report(std::string_view line);
// The requests that await takes.
std::variant<HostKeyRequest, AwaitRequest> parse_await_request(std::string_view line);
CommandRequest parse_command_request(std::string_view line);
ClockRequest parse_clock_request(std::string_view line);
CommandReply parse_command_reply(std::string_view line);
KeygenReply parse_keygen_reply(std::string_view line);
KeyPair parse_host_key(std::string_view line);

} // namespace banger::guest
