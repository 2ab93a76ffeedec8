// The monitor of one VM: the process that starts its VMM, follows it, and on its end releases
// everything and records why. It alone speaks to the VMM.
//
// It holds run.lock as long as it lives. It ends when the VMM has ended for good: a guest's own
// reboot starts the VMM again. SIGTERM and SIGINT are a request to stop.
//
// It is one loop, and no part of it waits: work that takes time completes by a callback. So every
// client is heard in every phase, even while a helper or a VMM does not answer.
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <vector>

#include "ops/common/context.h"
#include "ops/common/places.h"
#include "ops/link/link.h"
#include "ops/monitor/boot_progress.h"
#include "ops/monitor/console_input.h"
#include "ops/monitor/console_log.h"
#include "ops/monitor/end.h"
#include "ops/monitor/guest_clock.h"
#include "ops/monitor/guest_shell.h"
#include "ops/monitor/leaving.h"
#include "ops/monitor/limits.h"
#include "ops/monitor/network.h"
#include "ops/monitor/preparation.h"
#include "ops/monitor/readiness.h"
#include "ops/monitor/reply.h"
#include "ops/monitor/row.h"
#include "ops/monitor/runner.h"
#include "ops/monitor/saving.h"
#include "ops/monitor/standstill.h"
#include "ops/monitor/stopper.h"
#include "ops/monitor/vmm.h"
#include "sys/line_server.h"
#include "sys/lock.h"
#include "sys/loop.h"

namespace banger::ops {

class Monitor {
public:
  // `verb` is the other end of the socket to the verb that started it; it may be gone at any time.
  Monitor(Context& ctx, MonitorRequest request, const vmm::Driver& driver, Fd verb);
  // Runs to the end of the VM. Failures of the start are reported to the verb and recorded; the
  // return value is the process's exit status.
  int run();

private:
  using Client = std::shared_ptr<sys::LineServer::Client>;
  enum class Phase {
    claiming,   // the VM's things are not this monitor's yet
    preparing,  // there is no VMM yet
    booting,    // its guest was never ready
    ready,      // it was ready once
    restarting, // its guest rebooted: the next VMM is not there yet
    releasing,  // it has ended for good
    ended
  };

  // From the beginning to a VMM that runs.
  void begin();
  void claim();
  void listen();
  void open_parts();
  void adopt();
  void prepare();
  void on_prepared(std::expected<Prepared, Error> prepared);
  void start_vmm();
  void on_booted(std::optional<Error> fault);
  // While it runs.
  void on_sign(guest::ConsoleSign sign, const std::string& text);
  void on_stage(const guest::StageReport& report);
  void on_vmm_line(const std::string& line);
  void tell_stage();
  void record_ready();
  void on_standstill();
  void record_standstill();
  // For a verb that pauses or resumes; it is answered once that is done and in the row.
  void change_standstill(const Reply& reply, bool still);
  void save(const Client& client, const Ask& ask);
  void release_saved(const Client& client, const Reply& reply);
  void on_vmm_exit(const Vmm::Exit& exit);
  void restart();
  // Clients and their questions.
  bool admits(int pid);
  void greet(const Client& client);
  void answer(const Client& client, const Ask& ask);
  void ask_stop(const Ask& ask);
  void record_stopping();
  Guest guest();
  void report(Report r);
  // The end.
  void on_failure(const Error& e);
  void finish(VmState state, std::string reason, std::optional<Error> fault);
  void release(std::optional<Error> left);

  bool has_ended() const { return phase_ >= Phase::releasing; }
  Error boot_error() const;
  const Vm& vm() const { return row_.vm(); }

  Context& ctx_;
  const MonitorRequest request_;
  const vmm::Driver& driver_;
  Row row_;
  Places places_;
  Phase phase_ = Phase::claiming;
  std::optional<sys::FileLock> run_lock_;
  sys::Loop loop_;
  Fd signals_, kernel_;

  sys::LineServer server_;
  Vmm vmm_;
  Standstill standstill_;
  Saving saving_;
  Stopper stopper_;
  sys::LineServer::Peer verb_;
  std::optional<ConsoleLog> console_;
  std::optional<ConsoleInput> typed_;
  std::optional<Readiness> readiness_;
  std::optional<Network> network_;
  std::optional<Runner> runner_;
  std::unique_ptr<Preparation> preparation_;
  std::optional<Prepared> prepared_;
  Limits limits_;
  bool restores_ = false; // the next VMM has its guest go on from its snapshot
  BootProgress progress_;
  bool is_still_told_ = false; // that it is paused
  std::optional<GuestClock> clock_;
  std::vector<Reply> enders_;  // to verbs that asked it to end
  std::vector<Reply> pausers_; // to verbs that asked it to stand still, or to go on
  bool halted_ = false;        // the VMM was ended because its guest would never go on
  bool is_killed_ = false;
  ProcessId told_of_refusal_; // the last VMM whose client was refused
  Outcome outcome_;
  std::unique_ptr<Leaving> leaving_;
  int status_ = 0;
};

} // namespace banger::ops
