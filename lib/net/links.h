// Links of the network namespace that this process is in, through libnl.
//
// Each call is idempotent. Not thread safe; its sockets are opened in the namespace that the
// process is in then.
#pragma once

#include <memory>

#include "core/handle.h"
#include "net/render.h"

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

private:
  int index_of(const std::string& name) const;
  int change(int index, const Link& link, bool quiet_ipv6);
  void learn_nothing(int index, const std::string& name);
  void give_address(int index, const Link& link);

  struct Close {
    void operator()(nl_sock* s) const;
  };
  std::unique_ptr<nl_sock, Close> socket_;
  Fd names_;
};

} // namespace banger::net
