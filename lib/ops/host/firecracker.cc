#include "ops/host/firecracker.h"

#include "core/text.h"
#include "core/units.h"
#include "sys/file_identity.h"
#include "sys/process.h"

namespace banger::ops {

namespace {

constexpr const char* version_fact = "firecracker.version";
constexpr Millis time_to_tell{10'000};

// The identity of the program's file: another file in its place is asked again.
std::string identity_of(const std::string& path) {
  auto there = sys::find_version(path);
  if (!there) return {};
  return fmt::format("{} {} {} {} {}", path, there->file.device, there->file.inode, there->size,
                     there->mtime_ns);
}

std::string ask_version(const std::string& path, state::State* verdicts) {
  std::string identity = identity_of(path);
  if (verdicts && verdicts->mode() == state::Mode::read) verdicts = nullptr;
  if (verdicts)
    if (auto known = verdicts->fact(version_fact))
      if (auto parts = split(*known, '\n'); parts.size() == 2 && parts[0] == identity)
        return parts[1];
  sys::RunResult r = sys::run({{path, "--version"}, {}, {}, false}, {}, time_to_tell);
  auto version = vmm::find_firecracker_version(r.out);
  std::string text = version ? to_text(*version) : "";
  if (verdicts && version) verdicts->set_fact(version_fact, identity + "\n" + text);
  return text;
}

} // namespace

std::expected<FoundFirecracker, std::string> find_firecracker(const Settings& settings,
                                                              state::State* verdicts) {
  auto path = sys::find_program(settings.firecracker_binary);
  if (!path) return std::unexpected(fmt::format("no '{}' in PATH", settings.firecracker_binary));
  auto version = vmm::find_firecracker_version(ask_version(*path, verdicts));
  if (!version) return std::unexpected(fmt::format("'{}' tells no version of Firecracker", *path));
  if (!vmm::is_usable(*version))
    return std::unexpected(fmt::format("'{}' is Firecracker {}, and {} is the first that shows its "
                                       "devices to these guests",
                                       *path, to_text(*version), to_text(vmm::oldest_usable)));
  return FoundFirecracker{*path, *version};
}

} // namespace banger::ops
