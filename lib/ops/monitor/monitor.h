// The monitor of one VM: the process that starts its VMM, follows it, and on its end releases
// everything and records why (architecture.md, Processes). It alone speaks to the VMM.
//
// It holds run.lock as long as it lives. It ends when the VMM has ended for good: a guest's own
// reboot starts the VMM again. SIGTERM and SIGINT are a request to stop.
#pragma once

#include <list>
#include <memory>
#include <optional>

#include "guest/boot/console.h"
#include "ops/common/context.h"
#include "ops/common/places.h"
#include "ops/link/link.h"
#include "ops/monitor/await_helper.h"
#include "ops/monitor/boot_watch.h"
#include "ops/monitor/console_input.h"
#include "ops/monitor/prepare.h"
#include "ops/net/watch.h"
#include "sys/lock.h"
#include "sys/loop.h"
#include "sys/process.h"
#include "sys/socket.h"
#include "vmm/driver.h"

namespace banger::ops {

class Monitor {
public:
  // `verb` is the other end of the socket to the verb that started it; it may be gone at any time.
  Monitor(Context& ctx, MonitorRequest request, Fd verb);
  // Runs to the end of the VM. Failures of the start are reported to the verb and recorded; the
  // return value is the process's exit status.
  int run();

private:
  struct Client {
    Fd fd;
    sys::LineReader lines;
    bool deaf = false;   // takes no more reports; its own end is seen by the loop
    bool paused = false; // types faster than the guest reads
    explicit Client(Fd f) : fd(std::move(f)), lines(fd.get()) {}
  };
  enum class Knock { none, keys, ssh, term, kill }; // the steps of a stop, in their order

  void begin();
  void prepare();
  void on_failure(const Error& e);
  void refuse(const Error& e);
  void adopt();
  void start_vmm();
  void follow_vmm(int pidfd);
  void start_await();
  sys::Child spawn_vmm();
  void watch_network();
  void leave_network();
  void change_port(Client& client, const Ask& ask);

  void on_sign(guest::ConsoleSign sign, const std::string& text);
  void on_logs();
  void read_console();
  void rest(const Fd& watch, Millis pause, const std::function<void()>& then);
  void look_whether_halted(Millis pause);
  void on_control();
  void await_again();
  void on_await();
  void on_mismatch();
  void on_vmm_exit();
  void on_listener();
  void on_client(Client& client);
  bool answer(Client& client, const Ask& ask);
  void let_clients_go_on();
  void on_ready();
  void record_ready();
  void tell_stage();

  void ask_stop(Millis timeout);
  void next_knock();
  void power_off_over_ssh();
  void end_await();
  void end_poweroff();

  void finish(VmState state, std::string reason, std::optional<Error> fault);
  void release(VmState state, const std::string& reason, const std::optional<Error>& fault);
  void signal_vmm(int signal);
  void end_vmm();
  void note(const std::string& type, const Json& detail = Json::object());
  void mark(BootTimings& t, std::optional<double> BootTimings::*phase);
  void report(const Report& r);
  std::string console_tail() const;
  Error boot_error() const;

  Context& ctx_;
  MonitorRequest request_;
  Fd verb_;
  Vm vm_;
  Places places_;
  std::optional<sys::FileLock> run_lock_;
  sys::Loop loop_;
  PrivateNet net_;
  NetWatch net_watch_;
  Fd signals_, listener_, log_watch_, console_, vmm_log_, kernel_, adopted_;
  std::list<Client> clients_;
  std::optional<ConsoleInput> console_input_;

  std::unique_ptr<vmm::Driver> driver_;
  std::unique_ptr<vmm::Control> control_;
  std::optional<Prepared> prepared_;
  std::unique_ptr<sys::Child> vmm_, poweroff_;
  std::unique_ptr<AwaitHelper> await_;
  std::unique_ptr<guest::ConsoleReader> console_reader_;
  int64_t console_offset_ = 0;

  BootView view_;
  std::string told_stage_;
  std::optional<vmm::VmmEvent> last_event_;
  SteadyTime phase_start_{};
  bool ready_ = false, ended_ = false, halted_ = false;
  bool ours_ = false; // what the VM has is this monitor's to release
  Knock knock_ = Knock::none;
  Millis stop_timeout_{0};
  int status_ = 0;
};

} // namespace banger::ops
