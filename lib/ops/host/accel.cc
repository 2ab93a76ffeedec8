#include "ops/host/accel.h"

#include <algorithm>
#include <csignal>

#include <fcntl.h>

#include "core/error.h"
#include "core/text.h"
#include "core/undo.h"
#include "core/units.h"
#include "sys/file.h"
#include "sys/lock.h"
#include "sys/loop.h"
#include "sys/proc.h"
#include "vmm/drivers.h"

namespace banger::ops {

namespace {

constexpr const char* kvm_device = "/dev/kvm";
// A kernel on a usable KVM speaks within 0.2 s, on a host that is busy and itself emulated within
// 5 s. On a KVM that does not work it never speaks.
constexpr Millis first_byte_deadline{10'000};

// Boots the kernel on KVM in a directory of its own. Empty if its console spoke, else why not.
std::string probe(Context& ctx, const Probe& boot) {
  std::string dir = fmt::format("{}/{}/probe-{}", ctx.dirs.runtime, ctx.state.tag(), ctx.log.op());
  sys::make_dirs(dir);
  Undo undo(ctx.log);
  undo.push("remove the probe", [&] { sys::remove_tree(dir); });
  sys::make_symlink(boot.initrd, dir + "/" + vmm::initrd_file);
  std::string console = dir + "/" + vmm::console_file;
  Fd log = sys::open_file(console, O_RDWR | O_CREAT | O_APPEND);
  vmm::Machine m;
  m.name = "probe";
  m.accel = Accel::kvm;
  m.memory = int64_t{128} << 20;
  m.kernel = boot.kernel;
  m.command_line = "console=ttyS0 earlyprintk=ttyS0 panic=-1";
  auto driver = vmm::driver(boot.vmm, boot.binary);
  Fd errors = sys::open_file(dir + "/vmm.log", O_WRONLY | O_CREAT | O_APPEND);
  Fd watch = sys::watch_file(console);
  enum class Outcome { silent, spoke, ended } outcome = Outcome::silent;
  sys::Loop loop;
  auto [vmm, vmm_log, is_in_cell, first] = vmm::start(driver->launch(m), dir, errors.get());
  vmm::Told told;
  told.said = [&](const std::string& line) { sys::write_all(errors.get(), line + "\n"); };
  auto running = driver->attach(loop, dir, told);
  running->boot(m, [](const std::optional<Error>&) {}); // how it ends is seen at its process
  loop.watch(vmm.pidfd(), [&] { outcome = Outcome::ended, loop.stop(); });
  loop.watch(watch.get(), [&] { outcome = Outcome::spoke, loop.stop(); });
  loop.after(first_byte_deadline, [&] { loop.stop(); });
  loop.run();
  vmm.kill(SIGKILL);
  sys::ExitStatus status = vmm.wait();
  running->read_rest();
  if (outcome == Outcome::spoke) return {};
  if (outcome == Outcome::silent)
    return fmt::format("a kernel booted on it stays silent for {}",
                       format_duration(first_byte_deadline));
  std::string said = escape_for_terminal(last_lines(sys::read_tail(dir + "/vmm.log", 4096), 1));
  return fmt::format("a VMM on it ends at once ({}){}{}", status.text(), said.empty() ? "" : ": ",
                     said);
}

// KVM's modules, each as " NAME:SOURCE": one may be loaded instead of another while the host is up.
std::string kvm_modules() {
  const std::string modules = "/sys/module";
  std::vector<std::string> names = sys::list_dir(modules);
  std::sort(names.begin(), names.end());
  std::string all;
  for (const std::string& name : names) {
    if (!name.starts_with("kvm")) continue;
    auto source = sys::find_content(modules + "/" + name + "/srcversion", 256);
    all += fmt::format(" {}:{}", name, trim(source.value_or("")));
  }
  return all;
}

struct Verdict {
  std::string key; // boot id, kernel, VMM and KVM's modules that it was found with
  std::string why; // KVM cannot be used; empty if it can
};

std::string fact_of(VmmKind vmm) {
  constexpr const char* first = "accel.probe"; // QEMU's, as builds that had no other VMM wrote it
  return vmm == VmmKind::qemu ? first : fmt::format("{}.{}", first, name_of(vmm));
}

std::optional<Verdict> last_verdict(state::State& state, VmmKind vmm) {
  auto known = state.fact(fact_of(vmm));
  auto parts = known ? split(*known, '\n') : std::vector<std::string>{};
  if (parts.size() != 2) return {};
  return Verdict{parts[0], parts[1]};
}

// Why KVM cannot be used, empty if it can; none if that was not tried with `key`.
std::optional<std::string> known_verdict(state::State& state, VmmKind vmm, const std::string& key) {
  auto last = last_verdict(state, vmm);
  if (!last || last->key != key) return {};
  return last->why;
}

// One start tries; other starts wait for its verdict meanwhile.
std::string first_verdict(Context& ctx, const Probe& boot, const std::string& key) {
  ctx.stage("kvm", "trying whether a kernel boots on it");
  auto lock = sys::FileLock::take(ctx.dirs.state + "/accel.lock");
  if (auto known = known_verdict(ctx.state, boot.vmm, key)) return *known;
  std::string why = probe(ctx, boot);
  ctx.state.set_fact(fact_of(boot.vmm), key + "\n" + why);
  ctx.log.info(
      "accel.probe",
      {{"vmm", name_of(boot.vmm)}, {"usable", why.empty()}, {"why", std::string_view(why)}});
  return why;
}

} // namespace

std::string kvm_closed_because() {
  try {
    sys::open_file(kvm_device, O_RDWR);
    return {};
  } catch (const Error& e) {
    return e.message();
  }
}

std::string kvm_fault(Context& ctx, const Probe& boot) {
  if (std::string closed = kvm_closed_because(); !closed.empty()) return closed;
  std::string key =
      fmt::format("{} {} {}{}", sys::boot_id(), boot.kernel, boot.binary, kvm_modules());
  auto known = known_verdict(ctx.state, boot.vmm, key);
  return known ? *known : first_verdict(ctx, boot, key);
}

Accel choose_accel(Context& ctx, std::optional<Accel> want, const Probe& boot) {
  if (want == Accel::tcg) return Accel::tcg;
  if (want == Accel::kvm) {
    if (std::string closed = kvm_closed_because(); !closed.empty())
      throw preflight("cannot use KVM: {}", closed)
          .hint("add yourself to the group kvm, or use --accel tcg");
    return Accel::kvm;
  }
  std::string why = kvm_fault(ctx, boot);
  if (why.empty()) return Accel::kvm;
  // Said once for each reason and boot of the host; `show` and `doctor` tell it at any time.
  std::string said = sys::boot_id() + " " + why;
  if (ctx.state.fact("accel.said") != said) {
    ctx.notice(fmt::format("no usable KVM, so the VM is emulated in software and slow: {}", why));
    ctx.state.set_fact("accel.said", said);
  }
  return Accel::tcg;
}

std::optional<std::string> known_kvm_fault(state::State& state) {
  std::optional<std::string> fault;
  for (VmmKind vmm : {VmmKind::qemu, VmmKind::firecracker}) {
    auto last = last_verdict(state, vmm);
    if (!last || !last->key.starts_with(sys::boot_id())) continue;
    if (last->why.empty()) return "";
    if (!fault) fault = last->why;
  }
  return fault;
}

int64_t tsc_khz(Context& ctx) {
  auto known = ctx.state.fact("tsc_khz");
  auto parts = known ? split(*known, ' ') : std::vector<std::string>{};
  if (parts.size() == 2 && parts[0] == sys::boot_id())
    return parse_number("tsc_khz", parts[1], 1, int64_t{1} << 40);
  int64_t khz = sys::measure_tsc_khz();
  ctx.state.set_fact("tsc_khz", fmt::format("{} {}", sys::boot_id(), khz));
  return khz;
}

} // namespace banger::ops
