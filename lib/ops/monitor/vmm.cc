#include "ops/monitor/vmm.h"

#include <csignal>

#include "sys/cells.h"
#include "sys/proc.h"

namespace banger::ops {

namespace {

constexpr Millis time_to_die{10'000};
constexpr Millis first_look{500}, last_look{8000};

} // namespace

Vmm::Vmm(sys::Loop& loop, const vmm::Driver& driver, Told told)
    : loop_(loop), driver_(driver), told_(std::move(told)) {}

Vmm::~Vmm() {
  loop_.cancel(look_);
  loop_.cancel(deadline_);
  loop_.cancel(last_);
  if (running_) loop_.forget(has_ended_ ? first_.get() : pidfd());
}

void Vmm::start(const vmm::Machine& machine, const std::string& runtime_dir, int log,
                const std::optional<vmm::Inside>& inside) {
  vmm::Started started = vmm::start(driver_.launch(machine), runtime_dir, log, inside);
  child_ = std::move(started.child);
  is_in_cell_ = started.is_in_cell;
  first_ = std::move(started.first);
  child_->leave(); // a monitor that dies leaves it to the next one
  id_ = sys::find_process(child_->pid()).value_or(ProcessId{});
  booted_ = false;
  follow(runtime_dir);
}

bool Vmm::adopt(const ProcessId& id, const std::string& runtime_dir) {
  // In this order: a cell that is ending does not say any more whose it is.
  auto first = sys::open_cell(runtime_dir);
  auto fd = sys::open_process(id);
  if (!fd) return false;
  adopted_ = std::move(*fd);
  if (first) first_ = std::move(*first);
  id_ = id;
  booted_ = true;
  follow(runtime_dir);
  running_->take_up();
  return true;
}

bool Vmm::is_told_apart(int pid) const { return sys::is_outside_of(pid, cell_); }

void Vmm::follow(const std::string& runtime_dir) {
  events_.clear();
  has_ended_ = false;
  cell_ = sys::cell_of(child_ ? child_->pid() : id_.pid);
  running_ = driver_.attach(loop_, runtime_dir,
                            {[this](vmm::VmmEvent e) { events_.push_back(e); }, told_.pause,
                             told_.disk_fault, told_.said});
  loop_.watch(pidfd(), [this] { on_end(); });
}

void Vmm::boot(const vmm::Machine& machine, vmm::Done done) {
  running_->boot(machine, [this, done = std::move(done)](std::optional<Error> fault) {
    booted_ = !fault;
    done(std::move(fault));
  });
}

void Vmm::signal(int signal) {
  if (has_ended_) return;
  if (child_)
    child_->kill(signal);
  else if (running_)
    sys::send_signal(id_, signal);
}

void Vmm::end(vmm::Done done) {
  if (!running_) return done({});
  on_killed_ = std::move(done);
  signal(SIGKILL);
  deadline_ = loop_.after(time_to_die, [this] {
    std::exchange(on_killed_,
                  {})(failed("cannot end the VMM, process {}: it does not die", id_.pid));
  });
}

void Vmm::on_end() {
  // The VMM's last events tell why it ended: all of them are read first.
  running_->read_rest();
  loop_.cancel(look_);
  loop_.cancel(deadline_);
  loop_.forget(pidfd());
  has_ended_ = true;
  // The first process of a cell ends when all others have been reaped, this one among them.
  if (child_) status_ = child_->wait();
  if (!first_) return on_cell_end();
  // Nothing that it has started may meet the next one in its directory.
  loop_.watch(first_.get(), [this] {
    loop_.forget(first_.get());
    on_cell_end();
  });
  last_ = loop_.after(time_to_die, [this] {
    loop_.forget(first_.get());
    told_.said("the namespaces of the VMM have not ended with it");
    on_cell_end();
  });
}

void Vmm::on_cell_end() {
  loop_.cancel(look_);
  loop_.cancel(last_);
  loop_.cancel(deadline_);
  first_.reset();
  Exit exit{std::exchange(status_, {}), std::exchange(events_, {}), booted_};
  running_.reset();
  child_.reset();
  adopted_.reset();
  if (auto done = std::exchange(on_killed_, {})) return done({});
  told_.exit(exit);
}

void Vmm::find_out_whether_halted(std::function<void(bool)> done) {
  loop_.cancel(look_);
  if (!has_ended_) look(first_look, std::move(done));
}

void Vmm::look(Millis pause, std::function<void(bool)> done) {
  look_ = loop_.after(pause, [this, pause, done = std::move(done)] {
    running_->look_whether_halted([this, pause, done](bool halted) {
      if (halted || pause >= last_look) return done(halted);
      look(pause * 2, done);
    });
  });
}

} // namespace banger::ops
