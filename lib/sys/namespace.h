// Network namespaces, alone or within a user namespace of their own, and the taps in them.
//
// A namespace lives as long as a process is in it or a descriptor of it is open. A process stays
// where it enters: only small ones that do nothing else (banger-netns, banger-enter) call these.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/handle.h"
#include "model/vm.h"

namespace banger::sys {

// Descriptors of a process's namespaces.
struct Namespaces {
  Fd net;
  Fd user;             // empty: the same user namespace as this process's
  uint64_t net_id = 0; // inode of the network namespace: its identity in this boot
};

// Those of exactly that process; none if it is gone. A process that this user may not look into is
// an Error.
std::optional<Namespaces> open_namespaces(const ProcessId& id);

// The links of the network namespace that exactly that process is in; none when it is just ending.
std::vector<std::string> links_of(const ProcessId& id);
bool has_link(const ProcessId& id, const std::string& name);

// This process, which must have one thread, gets a network namespace of its own. Without being
// root, a user namespace around it, in which the user keeps his number: programs that it executes
// have no rights there, this process has all.
void make_network_namespace();

// In a user namespace that was just made for this process: the user keeps these numbers, which are
// his own outside of it, and there are no others.
void map_own_user(unsigned uid, unsigned gid);

// Why the kernel has made no namespaces: `what` they are, and the names of the limits on them.
Error no_namespace(int err, const char* what, const char* limits);

// This process enters them; with `user` it has all rights there until it executes a program.
void enter(const Namespaces& where);
// The same from descriptors that were inherited; user -1: none. They are closed.
void enter(int net, int user);

// Makes a tap that stays until it is removed and that `owner` may open, else this user; one of that
// name that is there already is taken. VMMs expect virtio headers on it.
void make_tap(const std::string& name, std::optional<unsigned> owner = {});

// Whether /dev/net/tun can be opened; the errno if not.
int tun_fault();

} // namespace banger::sys
