// slirp4netns: the way out of a private network, and the way in to published ports of TCP.
//
// It runs in the host's namespaces and puts its tap into the network's. Its API is a Unix socket:
// one JSON object a connection. Forwards live as long as it does; the monitor that starts another
// adds them again. Its forwards of UDP carry no answer to a client on the host's own loopback,
// which is closed to guests: those are relayed (net/relay.h).
#pragma once

#include <string>
#include <vector>

#include "model/subnet.h"
#include "net/plan.h"
#include "sys/process.h"

namespace banger::net {

inline constexpr const char* slirp_program = "slirp4netns";
inline constexpr const char* slirp_socket = "slirp.sock"; // in its working directory

// Where its starter hands it the network's namespaces, and what it writes a byte to when it is
// ready.
inline constexpr int slirp_net_fd = 3, slirp_user_fd = 4, slirp_ready_fd = 5;

// `with_user`: the namespace belongs to a user namespace of its own. Guests do not reach the host's
// own loopback through it.
sys::Command slirp_command(const std::string& tap, const Subnet& subnet, bool with_user,
                           const std::string& dir);
// The MTU in its command line; usual_mtu where none is there. Its tap has it when it is attached.
int mtu_of(const std::vector<std::string>& argv);

struct NumberedForward {
  int id = 0;
  Forward forward;
  bool operator==(const NumberedForward&) const = default;
};

// Error(unreachable) when it does not answer, Error(conflict) when the host's port is taken.
void add_forward(const std::string& socket, const Forward& forward);
void remove_forward(const std::string& socket, int id);
std::vector<NumberedForward> list_forwards(const std::string& socket);

// The messages. Pure.
std::string add_forward_request(const Forward& forward);
std::vector<NumberedForward> parse_forwards(const std::string& reply);

} // namespace banger::net
