// The names and addresses of VMs that run, as they are and as they are answered; changes nothing.
#pragma once

#include <string>
#include <vector>

#include "ops/common/context.h"

namespace banger::ops {

struct DnsRecord {
  std::string name, type;
  int64_t ttl = 0; // seconds
  std::string data;
};
Json to_json(const DnsRecord& record);

// The addresses of the VMs that run, and their names: what a daemon with these settings answers.
std::vector<DnsRecord> dns_records(Reader& in);

// Asks the server at dns.listen for `name`: a VM's, a full one, or an IPv4 address, whose name is
// asked for then. Throws Error(not_found) for a name that it does not have, Error(unreachable)
// where no server answers, Error(failed) where the server cannot tell.
std::vector<DnsRecord> resolve(const Settings& settings, const std::string& name);

} // namespace banger::ops
