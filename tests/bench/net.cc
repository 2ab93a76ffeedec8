// Network up for a VM, beside the least that the kernel must be asked for it:
//
//   banger-bench-net HOLDER COUNT      prints the medians {"a":S,"b":S}
//   banger-bench-net way HOLDER DIR    a network with one VM and its way out, for who sends through
//   it
//                                      (way_out.py): prints its holder and what the VM must have;
//                                      reads a line, when a link of the tap's name is there;
//                                      attaches it and prints its MTU; ends all of it when standard
//                                      input ends
//
// a: the request that a start makes of the network's holder (HOLDER is banger-netns): tap, bridge,
// up, rules. b: in this process, in the same namespace, by bare ioctls and one netlink message, and
// one element added to a set of nftables whose context is open.
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include <unistd.h>

#include "bare_link.h"
#include "core/error.h"
#include "core/undo.h"
#include "core/units.h"
#include "net/holder.h"
#include "net/links.h"
#include "net/rules.h"
#include "net/slirp.h"
#include "sys/file.h"
#include "sys/namespace.h"
#include "sys/proc.h"
#include "sys/process.h"
#include "sys/socket.h"
#include "timing.h"

using namespace banger;
using bench::median, bench::seconds_of;

namespace {

constexpr const char* tag = "be0c";

struct Bare {
  bench::BareLinks links{net::bridge_name(tag)};
  net::Rules rules;

  void up(const std::string& tap, int n) {
    links.up(tap);
    rules.apply(fmt::format("add element bridge {} macs {{ \"{}\" . 52:54:01:00:{:02x}:{:02x} }}\n",
                            net::table_name(tag), tap, n >> 8, n & 255));
  }
};

// The caller ends and reaps it.
sys::Child start_holder(const std::string& program, const std::string& socket,
                        const Subnet& subnet) {
  Fd listener = sys::listen_unix(socket);
  sys::Child child =
      sys::spawn({{program, "new"}, {}, {}, false}, {-1, 2, 2, {{listener.get(), 3}}});
  net::apply_plan(socket, net::base_plan(tag, subnet));
  return child;
}

void end(sys::Child& child) {
  child.kill(SIGKILL);
  child.wait();
}

void hold_way(const std::string& holder, const std::string& dir) {
  Subnet subnet = Subnet::parse("10.0.2.0/24");
  std::string socket = dir + "/s";
  net::Guest guest{.tap = 1, .mac = "52:54:00:00:02:0f", .address = "10.0.2.15", .own_way = true};
  sys::Child child = start_holder(holder, socket, subnet);
  auto say = [](const std::string& line) {
    std::puts(line.c_str());
    std::fflush(stdout);
  };
  say(fmt::format(R"({{"pid":{},"tap":"{}","mac":"{}"}})", child.pid(), net::tap_name(tag, 1),
                  guest.mac));
  std::getchar();
  net::apply_plan(socket, net::join_plan(tag, guest));
  auto where = sys::open_namespaces(*sys::find_process(child.pid())).value();
  auto [ready, theirs] = sys::socket_pair();
  sys::Stdio stdio{-1, -1, -1, {{where.net.get(), net::slirp_net_fd}}};
  if (where.user) stdio.more.emplace_back(where.user.get(), net::slirp_user_fd);
  stdio.more.emplace_back(theirs.get(), net::slirp_ready_fd);
  sys::Child slirp = sys::spawn(
      net::slirp_command(net::way_name(tag, 1), subnet, static_cast<bool>(where.user), dir), stdio);
  theirs.reset();
  char byte = 0;
  if (::read(ready.get(), &byte, 1) != 1) throw failed("slirp4netns did not start");
  net::apply_plan(socket, net::way_plan(tag, 1));
  say(fmt::format(R"({{"mtu":{}}})", net::mtu));
  while (std::getchar() != EOF) {
  }
  end(slirp);
  end(child);
}

void measure(const std::string& holder, int count) {
  const char* place = std::getenv("TMPDIR");
  std::string dir = fmt::format("{}/bn.XXXXXX", place ? place : "/tmp");
  if (!::mkdtemp(dir.data())) throw sys_error(errno, "cannot make a directory");
  Log log({}, Level::off, {});
  Undo undo(log);
  undo.push("remove the directory", [&] { sys::remove_tree(dir); });
  std::string socket = dir + "/s";
  sys::Child child = start_holder(holder, socket, Subnet::parse("10.0.0.0/16"));
  sys::enter(sys::open_namespaces(*sys::find_process(child.pid())).value());

  Bare bare;
  net::Links links;
  std::vector<double> ours, theirs;
  for (int i = 0; i < count; ++i) {
    std::string b = fmt::format("bare{}", i);
    net::Guest guest{i + 1, fmt::format("52:54:00:00:{:02x}:{:02x}", i >> 8, i & 255),
                     fmt::format("10.0.{}.{}", i >> 8, i & 255)};
    ours.push_back(seconds_of([&] { net::apply_plan(socket, net::join_plan(tag, guest)); }));
    theirs.push_back(seconds_of([&] { bare.up(b, i); }));
    net::apply_plan(socket, net::leave_plan(tag, guest));
    links.remove(b);
  }
  end(child);
  fmt::print("{{\"a\":{},\"b\":{}}}\n", median(ours), median(theirs));
}

} // namespace

int main(int argc, char** argv) {
  try {
    if (argc == 4 && std::string_view(argv[1]) == "way") {
      hold_way(argv[2], argv[3]);
      return 0;
    }
    if (argc != 3) throw usage("usage: banger-bench-net HOLDER COUNT | way HOLDER DIR");
    measure(argv[1], static_cast<int>(parse_number("count", argv[2], 1, 10'000)));
    return 0;
  } catch (const Error& e) {
    std::fprintf(stderr, "banger-bench-net: %s\n", e.what());
    return exit_status(e.code());
  }
}
