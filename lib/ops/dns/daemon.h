// The DNS daemon of a state, as other programs see it: whether it is there, its own report, and the
// process that has its port where it is not there.
//
// One a state: it holds STATE/run/dns.lock for its life, and answers at STATE/run/dns.sock.
#pragma once

#include <optional>
#include <string>

#include "model/endpoint.h"
#include "ops/common/context.h"

namespace banger::ops {

std::string dns_lock(const Dirs& dirs);
std::string dns_socket(const Dirs& dirs);

// A daemon's report of itself.
struct DnsDaemon {
  ProcessId process;
  std::string version; // banger's, of its build
  Endpoint listen;     // as it was told, or the first socket that it was given
  std::string zone;
  bool reads_state = false; // else it answers SERVFAIL
  uint64_t hosts = 0;       // VMs that have a name
  uint64_t queries = 0;     // answered since it began
  uint64_t generation = 0;  // how often its answers have changed
  // Begun by a command, without a service manager: a newer build takes its place by itself.
  bool background = false;
  std::optional<Millis> idle; // it ends when no VM has run for that long; none: it stays
};
std::string to_line(const DnsDaemon& d);
// None where no daemon serves this state. Throws Error(timeout) where one does and does not answer.
// To be asked begins the daemon's `idle` time anew.
inline constexpr Millis usual_patience{5'000};
std::optional<DnsDaemon> find_dns_daemon(const Dirs& dirs, Millis patience = usual_patience);
// How many questions for names with `digits` in them it has had since the same call before; the
// first one gives none. None of a daemon of an older build, or where there is none.
std::optional<uint64_t> count_dns_questions(const Dirs& dirs, const std::string& digits);
// Makes a daemon with an `idle` time stay for good. Does nothing where none answers.
void keep_dns_daemon(const Dirs& dirs);

// The process that listens at an endpoint of the host; of several that share it, a DNS daemon.
struct PortHolder {
  ProcessId process;
  std::string comm;
  std::string state; // the state directory of a DNS daemon; empty for another program
};
std::optional<PortHolder> find_port_holder(const Endpoint& at);
// systemd may hold it for a service that it starts with the first question.
bool is_systemd(const PortHolder& holder);
// Sends the service there a question, and waits for any answer, two seconds at most.
void wake_dns_service(const Endpoint& at);
// "banger-dns (process 123), the DNS daemon of the state '/root/a'".
std::string to_text(const PortHolder& holder);

} // namespace banger::ops
