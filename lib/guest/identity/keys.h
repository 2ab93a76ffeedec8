// Ed25519 keys in the forms that OpenSSH and dropbear read and write. Pure format code: nothing
// here needs a cryptographic library, so that static programs can use it. Keys are made in
// guest/identity/keygen.h.
//
// Sources: OpenSSH's PROTOCOL.key, RFC 8709, and what dropbearkey writes. Parsers throw
// Error(failed) that says what is wrong and never quotes the key.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace banger::guest {

struct KeyPair {
  std::array<unsigned char, 32> secret{}; // the seed of RFC 8032
  std::array<unsigned char, 32> open{};   // the public key
  bool operator==(const KeyPair&) const = default;
};

// "-----BEGIN OPENSSH PRIVATE KEY-----…", not encrypted, with its last newline.
std::string openssh_private(const KeyPair& key, std::string_view comment);
KeyPair parse_openssh_private(std::string_view text);

// Binary: string "ssh-ed25519", then a string of secret and public half.
std::string dropbear_private(const KeyPair& key);

// "ssh-ed25519 AAAA…" and " COMMENT" where it is not empty; no newline.
std::string public_line(const KeyPair& key, std::string_view comment = {});
// The 51 bytes that stand as base64 in such a line, and go over the wire as a host key.
std::string public_blob(const KeyPair& key);
// The same from a public line, with or without a comment.
std::string parse_public_line(std::string_view line);

} // namespace banger::guest
