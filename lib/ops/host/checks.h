// The single checks of this host, from which doctor and preflight are put together.
//
// Each check looks at one thing and changes nothing. It may throw Error where it cannot look;
// make_check turns that into a check that is missing, with the reason.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "model/settings.h"
#include "ops/host/check.h"
#include "state/state.h"

namespace banger::ops {

struct Host {
  const Settings& settings;
  const Dirs& dirs;
  bool versions = false;         // ask programs for theirs, which starts them
  state::State* state = nullptr; // opened already
};

// Bytes: with less free no VM is made.
inline constexpr int64_t least_space = int64_t{64} << 20;
// Throws Error(preflight) unless a disk that takes `needs` bytes leaves that much free in `dir`.
void require_space(const std::string& dir, int64_t needs);

Check make_check(const std::string& id, const std::function<Check()>& check);

// "sudo apt-get install PACKAGE", without sudo for root.
std::string apt(std::string_view package);
// A program of this name in PATH; `absent` is the verdict where there is none.
Check check_program(const Host& host, const char* id, const std::string& program,
                    const char* version_flag, const char* package, Verdict absent);

Check check_kvm(const Host& host);
Check check_qemu(const Host& host);
Check check_firecracker(const Host& host); // VMs can do without it
Check check_programs(const Host& host);    // banger's own internal ones
Check check_e2fsprogs(const Host& host);
Check check_ssh(const Host& host);
Check check_network(const Host& host); // the private one: a warning, VMs can do without it
Check check_helper(const Host& host);  // what is done with root's rights: a warning, too
Check check_bridge(const Host& host);  // the same of a bridge
// And of what the state's own lacks, which a start of a VM makes good by itself.
Check check_own_bridge(const Host& host);
Check check_bundle(const Host& host);     // all of it
Check check_boot_files(const Host& host); // the bundle's files that every start needs
Check check_state(const Host& host);
Check check_key(const Host& host); // the state's ssh key
Check check_space(const Host& host);
Check check_runtime(const Host& host);
Check check_files(const Host& host);       // how many files may be open
Check check_confinement(const Host& host); // what keeps a VMM from the rest of the host
Check check_inotify(const Host& host);     // whether another file can be watched

} // namespace banger::ops
