// One question to a name server, as any program asks it.
#pragma once

#include <string>

#include "core/units.h"
#include "dns/wire.h"

namespace banger::dns {

// Asks the server at address:port, by UDP, and again by TCP where the answer is too long for that.
// Throws Error(unreachable) where no server listens, Error(timeout) when no answer comes in
// `patience`, Error(failed) for an answer that cannot be read.
Reply look_up(const std::string& address, int port, const Name& name, Type type, Millis patience);

} // namespace banger::dns
