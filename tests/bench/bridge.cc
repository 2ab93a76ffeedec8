// The host's network `bridge`, beside what the same takes by bare means. In a network namespace
// with a /run of its own, by root there:
//
//   banger-bench-bridge COUNT    prints {"join":{"a":S,"b":S},"make":{…},"remove":{…,"one":S}}
//
// join: a VM's tap and rules, as the helper makes them for a start (in this process), beside bare
// ioctls, one netlink message, and the same elements of nftables in a context that is open. make: a
// bridge that a reboot took, with COUNT taps, beside `ip -batch` and `nft -f` of the same. remove:
// COUNT taps, as after a crash of their VMs, beside `ip -batch` of `link del` each, and of the
// group
// ("one"), with `nft -f` of the same elements both. Medians of alternating turns.
#include <cstdio>

#include "bare_link.h"
#include "core/error.h"
#include "net/bridge_host.h"
#include "net/bridge_render.h"
#include "net/plan.h"
#include "sys/process.h"
#include "timing.h"

using namespace banger;
using bench::median, bench::seconds_of;

namespace {

constexpr const char* tag = "be0d";
constexpr int joins = 50, turns = 3;

net::Bridge bridge_of(int guests) {
  net::Bridge b{.tag = tag, .subnet = Subnet::parse("10.77.0.0/16")};
  for (int n = 1; n <= guests; n++)
    b.guests[n] = {.tap = n, .address = fmt::format("10.77.{}.{}", 1 + n / 200, 1 + n % 200)};
  return b;
}

void run(std::vector<std::string> argv, const std::string& input) {
  sys::run_ok({std::move(argv), {}, {}, false}, input);
}

std::string pair(const char* name, std::vector<double> a, std::vector<double> b) {
  return fmt::format("\"{}\":{{\"a\":{},\"b\":{}", name, median(std::move(a)),
                     median(std::move(b)));
}

std::string measure_join() {
  net::BridgeHost host(0);
  std::vector<double> ours, theirs;
  const net::Bridge all = bridge_of(3 * joins);
  host.up(tag, all.subnet);
  bench::BareLinks links(net::bridge_name(tag));
  net::Rules rules;
  auto bare = [&](const net::BridgeGuest& guest) {
    links.up(net::tap_name(tag, guest.tap));
    rules.apply(net::guest_elements("add", tag, guest));
  };
  for (int n = 1; n <= 3 * joins; n += 3) {
    host.join(tag, all.guests.at(n)); // after the changes of `bare` it lists the rules
    ours.push_back(seconds_of([&] { host.join(tag, all.guests.at(n + 1)); }));
    theirs.push_back(seconds_of([&] { bare(all.guests.at(n + 2)); }));
  }
  host.down(tag);
  for (int n = 3; n <= 3 * joins; n += 3) net::Links().remove(net::tap_name(tag, n));
  return pair("join", ours, theirs) + "}";
}

std::string taps_text(int count) {
  std::string text;
  const std::string bridge = net::bridge_name(tag);
  text += fmt::format("link add {0} address 52:54:00:4d:00:01 type bridge\naddr add 10.77.0.1/16 "
                      "dev {0}\nlink set {0} up\n",
                      bridge);
  for (int n = 1; n <= count; n++) {
    std::string tap = net::tap_name(tag, n);
    text += fmt::format("tuntap add {0} mode tap user 0\nlink set {0} master {1} group {2} up\n",
                        tap, bridge, net::group_of(tag));
  }
  return text;
}

std::string removal_text(int count) {
  std::string text;
  for (int n = 1; n <= count; n++) text += fmt::format("link del {}\n", net::tap_name(tag, n));
  return text;
}

std::string measure_many(int count) {
  net::BridgeHost host(0);
  net::Links links;
  net::Rules rules;
  const net::Bridge b = bridge_of(count);
  std::vector<int> taps;
  std::string elements;
  for (const auto& [n, guest] : b.guests) {
    taps.push_back(n);
    elements += net::guest_elements("delete", tag, guest);
  }
  std::vector<double> make, remove, bare_make, bare_remove, bare_group;
  auto bare_turn = [&](std::vector<double>& removal, const std::string& text) {
    bare_make.push_back(seconds_of([&] {
      run({"ip", "-batch", "-"}, taps_text(count));
      run({"nft", "-f", "-"}, net::bridge_rules(b));
    }));
    removal.push_back(seconds_of([&] {
      run({"ip", "-batch", "-"}, text);
      run({"nft", "-f", "-"}, elements);
    }));
    links.remove_group(net::group_of(tag));
    links.remove(net::bridge_name(tag));
    rules.apply(net::no_rules(tag));
  };
  for (int turn = 0; turn < turns; turn++) {
    host.up(tag, b.subnet);
    for (const auto& [n, guest] : b.guests) host.join(tag, guest);
    // What a reboot takes, or whoever flushes and removes everything.
    links.remove_group(net::group_of(tag));
    links.remove(net::bridge_name(tag));
    rules.apply(net::no_rules(tag));
    make.push_back(seconds_of([&] { host.up(tag, b.subnet); }));
    remove.push_back(seconds_of([&] { host.leave(tag, taps); }));
    host.down(tag);
    bare_turn(bare_remove, removal_text(count));
    bare_turn(bare_group, fmt::format("link del group {}\n", net::group_of(tag)));
  }
  return pair("make", make, bare_make) + "}," + pair("remove", remove, bare_remove) +
         fmt::format(",\"one\":{}}}", median(bare_group));
}

} // namespace

int main(int argc, char** argv) {
  try {
    if (argc != 2) throw usage("usage: banger-bench-bridge COUNT");
    int count = static_cast<int>(parse_number("count", argv[1], 1, 1'000));
    std::string joined = measure_join();
    fmt::print("{{{},{}}}\n", joined, measure_many(count));
    return 0;
  } catch (const Error& e) {
    std::fprintf(stderr, "banger-bench-bridge: %s\n", e.what());
    return exit_status(e.code());
  }
}
