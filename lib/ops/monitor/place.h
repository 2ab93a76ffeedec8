// The body of libexec/banger/banger-place: does one VM's slow work for its monitor, which is its
// network's acts (ops/monitor/network.h), what needs root's rights, and work under a lock that
// another program may keep.
#pragma once

#include <string>
#include <string_view>

#include "model/settings.h"

namespace banger::ops {

// A monitor's request: one line, JSON with "v". The answer is a Report's line, ready or failed.
struct PlaceRequest {
  std::string act;           // attach, join, repair, leave (ops/net/place.h); pin
                             // (ops/monitor/pin.h), remove (ops/release/removal.h), map, unmap
                             // (ops/release/mapping.h)
  std::string vm;            // its id
  std::string op, log_level; // for the logs
  Dirs dirs;                 // state, runtime and libexec
  Settings settings;         // the verb's that started the monitor
};

std::string to_line(const PlaceRequest& request); // with the newline
// Throws Error(failed) for a line that is none.
PlaceRequest parse_place_request(std::string_view line);

// Takes a request from `in`, does it, and answers on `out`, a socket; returns the exit status.
// Where this is killed at any point, the next request finishes or undoes its work.
int serve_place(int in, int out);

} // namespace banger::ops
