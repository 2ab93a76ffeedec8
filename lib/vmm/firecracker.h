// Firecracker: started with a socket of its own making, configured by requests over HTTP, and only
// then told to boot; its serial line is its standard input and output, its log and its metrics are
// FIFOs, which never grow.
//
// It has no network of its own, tells no events, and ends with status 0 for every end of its guest.
// A guest that powers itself off leaves it running; only the console tells that.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "vmm/driver.h"
#include "vmm/firecracker_versions.h"

namespace banger::vmm {

std::unique_ptr<Driver> make_firecracker(std::string binary);

// "PUT /path {…}".
struct ApiRequest {
  std::string path, body;
  std::string method = "PUT";
  bool operator==(const ApiRequest&) const = default;
};
// The requests that make the machine and start it, in their order, with only the members that this
// version knows, and without a vsock where this version's corrupts what the guest sends. Pure.
std::vector<ApiRequest> boot_requests(const Machine& machine, const FirecrackerVersion& version);
// Tells it where its metrics go; made before all others. Pure.
ApiRequest metrics_request();
// Writes the guest's memory and devices, and the one that takes them up again. Pure.
ApiRequest save_request();
ApiRequest load_request(const Machine& machine, const FirecrackerVersion& version);

// Change the limits while the guest is there (Running::limit). Pure.
std::vector<ApiRequest> limit_requests(const std::vector<Disk>& disks,
                                       const std::optional<RateLimit>& net);

} // namespace banger::vmm
