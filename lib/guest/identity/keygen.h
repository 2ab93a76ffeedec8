// New ed25519 keys, and the state's own. Needs libcrypto's EVP, which is 4 MB: programs that must
// stay small start libexec/banger/banger-guest instead.
#pragma once

#include <string>

#include "guest/identity/keys.h"

namespace banger::guest {

// Before anything of libcrypto is used: it shall not read the host's openssl.cnf, which costs 4 ms
// and may ask for modules that a statically linked program cannot load. Once is enough, more does
// no harm.
void prepare_crypto();

KeyPair generate_key();

// The 64 bytes of an ed25519 signature (RFC 8032).
std::string sign(const KeyPair& key, std::string_view message);

struct StateKey {
  std::string identity;    // path of the private key
  std::string public_line; // with its comment, no newline
};

// The state's key in `keys_dir`: id_ed25519 and id_ed25519.pub, both 0600, made at the first call
// with the directory; two at once make one. A public half that is missing or does not belong to
// the private one is written anew. Throws Error(failed) with a hint for a private key that cannot
// be read as one; it is left as it is.
StateKey ensure_state_key(const std::string& keys_dir);

} // namespace banger::guest
