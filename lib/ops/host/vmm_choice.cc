#include "ops/host/vmm_choice.h"

#include <algorithm>

#include "core/error.h"
#include "core/text.h"
#include "ops/host/accel.h"
#include "ops/host/checks.h"
#include "ops/host/firecracker.h"
#include "sys/process.h"
#include "vmm/drivers.h"

namespace banger::ops {

namespace {

constexpr const char* said_fact = "vmm.said";
constexpr size_t most_said = 4096;

// Why a kind of VMM can never run such a VM, and what to choose instead; empty if it can.
struct Unfit {
  std::string why, instead;
};
Unfit unfit(VmmKind kind, const VmmWish& wish) {
  vmm::Abilities can = vmm::driver(kind, {})->abilities();
  if (wish.accel == Accel::tcg && !can.emulates)
    return {"it does not emulate, and --accel tcg asks for that",
            "leave --accel out, or use --vmm qemu"};
  if (wish.own_net && !can.user_net)
    return {fmt::format("it has no network '{}' of its own", name_of(wish.net)),
            "use --net user, or --vmm qemu"};
  if (wish.limits_net && !can.limits_net)
    return {"it does not limit a network",
            can.user_net && wish.own_net
                ? "leave the limits of net out, or use --net user with Firecracker"
                : "leave the limits of net out, or use --vmm firecracker"};
  if (wish.cpus > can.most_cpus)
    return {fmt::format("it gives a guest at most {} cpus", can.most_cpus),
            fmt::format("use --cpus {}, or --vmm qemu", can.most_cpus)};
  return {};
}

// Tells each text once in the life of a state.
void say_once(Context& ctx, const std::string& text) {
  std::string said = ctx.state.fact(said_fact).value_or("");
  auto lines = split(said, '\n');
  if (std::find(lines.begin(), lines.end(), text) != lines.end()) return;
  ctx.notice(text);
  if (said.size() + text.size() > most_said) said.clear();
  ctx.state.set_fact(said_fact, said.empty() ? text : said + "\n" + text);
}

void tell_if_newer(Context& ctx, const FoundFirecracker& found) {
  if (!vmm::is_newer_than_known(found.version)) return;
  const auto& known = vmm::newest_known;
  say_once(ctx, fmt::format("Firecracker {} is newer than what this banger knows ({}.{})",
                            to_text(found.version), known.major, known.minor));
}

Probe probe_of(VmmKind kind, std::string binary, const std::string& kernel,
               const std::string& initrd) {
  return {kernel, initrd, kind, std::move(binary)};
}

} // namespace

void require_fit(const std::string& doing, const std::string& vm, const VmmWish& wish) {
  VmmKind kind = wish.vmm.value_or(VmmKind::qemu);
  Unfit fault = unfit(kind, wish);
  if (fault.why.empty()) return;
  if (!wish.vmm && unfit(VmmKind::firecracker, wish).why.empty()) return;
  throw conflict("{} on '{}': {}", doing, name_of(kind), fault.why).subject(vm).hint(fault.instead);
}

const std::string& binary_of(const Settings& settings, VmmKind kind) {
  return kind == VmmKind::firecracker ? settings.firecracker_binary : settings.qemu_binary;
}

VmmChoice choose_vmm(Context& ctx, const std::string& vm, const VmmWish& wish,
                     const std::string& kernel, const std::string& initrd) {
  constexpr VmmKind first = VmmKind::firecracker;
  std::string doing = fmt::format("cannot start '{}'", vm);
  require_fit(doing, vm, wish);
  std::string why; // not Firecracker
  if (wish.vmm != VmmKind::qemu && wish.accel != Accel::tcg) {
    std::string fault;
    auto found = find_firecracker(ctx.settings, &ctx.state);
    if (!found)
      why = found.error();
    else if (fault = unfit(first, wish).why; !fault.empty())
      why = fault;
    else if (std::string closed = kvm_closed_because(); !closed.empty())
      why = "it has no KVM: " + closed;
    else if (!wish.vmm || !wish.accel)
      if (fault = kvm_fault(ctx, probe_of(first, found->path, kernel, initrd)); !fault.empty())
        why = "it has no usable KVM: " + fault;
    if (why.empty()) {
      tell_if_newer(ctx, *found);
      return {first, found->path, Accel::kvm};
    }
    if (wish.vmm)
      throw preflight("{} on '{}': {}", doing, name_of(first), why)
          .subject(vm)
          .hint("--vmm qemu runs it without Firecracker");
  }
  if (Unfit fault = unfit(VmmKind::qemu, wish); !fault.why.empty())
    throw preflight("{} on '{}': {}; and not on '{}': {}", doing, name_of(VmmKind::qemu), fault.why,
                    name_of(first), why.empty() ? unfit(first, wish).why : why)
        .subject(vm)
        .hint(fault.instead);
  VmmChoice choice{VmmKind::qemu, ctx.settings.qemu_binary, Accel::tcg};
  if (!why.empty() && !sys::find_program(choice.binary)) { // preflight let it pass for Firecracker
    Check check = check_qemu({ctx.settings, ctx.dirs, false, &ctx.state});
    check.found += "; not Firecracker either: " + why;
    require(doing, vm, {&check, 1});
  }
  choice.accel = choose_accel(ctx, wish.accel, probe_of(choice.vmm, choice.binary, kernel, initrd));
  if (!why.empty() && choice.accel == Accel::kvm)
    say_once(ctx, fmt::format("VMs run on QEMU, not on Firecracker: {}", why));
  return choice;
}

} // namespace banger::ops
