#include "model/vm.h"

#include <span>
#include <utility>

#include "core/error.h"

namespace banger {

namespace {

template <typename E>
using Words = std::span<const std::pair<E, std::string_view>>;

template <typename E>
std::string_view word(Words<E> words, E value) {
  for (const auto& [v, w] : words)
    if (v == value) return w;
  return "?";
}

template <typename E>
E value(std::string_view what, Words<E> words, std::string_view text) {
  std::string all;
  for (const auto& [v, w] : words) {
    if (w == text) return v;
    all += fmt::format("{}{}", all.empty() ? "" : ", ", w);
  }
  throw usage("invalid {} '{}': it is one of {}", what, text, all);
}

constexpr std::pair<VmState, std::string_view> states[] = {
    {VmState::creating, "creating"}, {VmState::stopped, "stopped"},
    {VmState::starting, "starting"}, {VmState::running, "running"},
    {VmState::paused, "paused"},     {VmState::stopping, "stopping"},
    {VmState::failed, "failed"},     {VmState::removing, "removing"}};
constexpr std::pair<NetMode, std::string_view> modes[] = {
    {NetMode::user, "user"}, {NetMode::bridge, "bridge"}, {NetMode::isolated, "isolated"}};
constexpr std::pair<RootWay, std::string_view> ways[] = {{RootWay::reflink, "reflink"},
                                                         {RootWay::dm_snapshot, "dm-snapshot"},
                                                         {RootWay::overlay, "overlay"},
                                                         {RootWay::copy, "copy"}};
constexpr std::pair<VmmKind, std::string_view> kinds[] = {{VmmKind::qemu, "qemu"},
                                                          {VmmKind::firecracker, "firecracker"}};
constexpr std::pair<Accel, std::string_view> accels[] = {{Accel::kvm, "kvm"}, {Accel::tcg, "tcg"}};

} // namespace

std::string_view name_of(VmState s) { return word<VmState>(states, s); }
std::string_view name_of(NetMode m) { return word<NetMode>(modes, m); }
std::string_view name_of(RootWay w) { return word<RootWay>(ways, w); }
std::string_view name_of(VmmKind k) { return word<VmmKind>(kinds, k); }
std::string_view name_of(Accel a) { return word<Accel>(accels, a); }
VmState parse_vm_state(std::string_view t) { return value<VmState>("state", states, t); }
NetMode parse_net_mode(std::string_view t) { return value<NetMode>("network mode", modes, t); }
RootWay parse_root_way(std::string_view t) { return value<RootWay>("root disk way", ways, t); }
VmmKind parse_vmm_kind(std::string_view t) { return value<VmmKind>("VMM", kinds, t); }
Accel parse_accel(std::string_view t) { return value<Accel>("acceleration", accels, t); }

bool is_live(VmState s) {
  return s == VmState::starting || s == VmState::running || s == VmState::paused ||
         s == VmState::stopping;
}

} // namespace banger
