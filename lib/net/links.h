// Links and routes of the network namespace that this process is in, through libnl.
//
// Each call is idempotent. Not thread safe; its sockets are opened in the namespace that the
// process is in then.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/handle.h"
#include "model/subnet.h"
#include "net/render.h"

struct ifreq;
struct nl_sock;
struct rtnl_link;

namespace banger::net {

class Links {
public:
  Links();
  // Makes it where it is missing, attaches it to its master, brings it up, gives it its MTU, MAC
  // and address. An uplink that is not there is Error(failed), unless it is optional.
  void ensure(const Link& link);
  void remove(const std::string& name);
  // All links of the group, in one request: much faster than one by one, each of which waits until
  // the whole kernel has let go of it.
  void remove_group(unsigned group);
  // Those of these names, in one request: they get that group before, which no other link has.
  void remove_all(const std::vector<std::string>& names, unsigned group);
  // 0: there is none of that name.
  int index_of(const std::string& name) const;

  struct Seen {
    std::string name, kind;             // ip-link(8)'s words: "bridge", "tun", "veth"; may be empty
    unsigned group = 0;                 // ip-link(8)
    std::optional<unsigned> owner = {}; // of a tap: who may open it
    int index = 0, master = 0;          // of the bridge that it is at; 0: of none
    bool up = false, carrier = false;   // of a tap: a program has it open
  };
  // What its own rules did not stamp comes in at it no more (net/link_guard.h). Error(preflight)
  // where the kernel has no filter for that.
  void guard(const std::string& name);
  // False where there is no such link, too.
  bool is_guarded(const std::string& name) const;

  // All links that are there.
  std::vector<Seen> all();
  // Those that are at a bridge, whichever: their names, indices, masters, and whether they are up,
  // and no more. It costs a third of all().
  std::vector<Seen> ports();
  // False where there is no such link, too.
  bool is_up(const std::string& name) const;

  // Networks that this host has a route to, or addresses in, in whatever table. Default routes are
  // none, nor the halves of everything that VPNs put before one. Without those through `but`, a
  // link.
  std::vector<Prefix> routed(const std::string& but);
  // The links of the default routes of the main table, and of such halves, by name; and those by
  // which this host would send what is for the outside now: a VPN may have a table of its own.
  std::vector<std::string> uplinks();
  // The addresses that the host takes for its own, with the links that they are at.
  std::vector<std::pair<Address, std::string>> own_addresses();
  // The gateways of those routes.
  std::vector<Address> gateways();
  // Whether the host takes packets to it for its own; `at`: because it is at that link.
  bool is_local(Address address, const std::string& at = {});

private:
  std::vector<Seen> dump(int family);
  bool ask(unsigned long what, const std::string& name, ifreq& answer) const;
  void silence(const Link& link);
  void set_group(int index, unsigned group);
  int change(int index, const Link& link, bool quiet_ipv6);
  template <typename Say>
  void set_port(int index, const std::string& name, Say&& say);
  void give_address(int index, const Link& link);

  struct Close {
    void operator()(nl_sock* s) const;
  };
  std::unique_ptr<nl_sock, Close> socket_;
  Fd names_;
};

} // namespace banger::net
