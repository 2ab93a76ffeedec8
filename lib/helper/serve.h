// The body of banger-helper: takes what it is asked (helper/ask.h), and trusts none of it.
//
// All names follow from the tag, a tag belongs to the user who took it first (helper/caller.h), and
// a user gets only what he could not take from others by it.
#pragma once

namespace banger::helper {

// Does what the line on `socket` asks, and answers there. Throws Error(preflight) without root's
// rights.
void serve(int socket);

} // namespace banger::helper
