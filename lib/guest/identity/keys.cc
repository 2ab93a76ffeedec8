#include "guest/identity/keys.h"

#include <algorithm>
#include <cstdint>

#include "core/error.h"
#include "core/text.h"
#include "guest/identity/base64.h"

namespace banger::guest {

namespace {

constexpr std::string_view key_type = "ssh-ed25519";
constexpr std::string_view magic{"openssh-key-v1\0", 15};
constexpr std::string_view begin_line = "-----BEGIN OPENSSH PRIVATE KEY-----";
constexpr std::string_view end_line = "-----END OPENSSH PRIVATE KEY-----";

std::string text_of(const std::array<unsigned char, 32>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// RFC 4251: big-endian numbers, strings with their length in front.
void put_number(std::string& out, uint32_t n) {
  for (int shift : {24, 16, 8, 0}) out += static_cast<char>(n >> shift & 255);
}
void put_string(std::string& out, std::string_view s) {
  put_number(out, static_cast<uint32_t>(s.size()));
  out += s;
}

class Reader {
public:
  explicit Reader(std::string_view rest) : rest_(rest) {}
  uint32_t number() {
    auto bytes = take(4);
    uint32_t n = 0;
    for (char c : bytes) n = n << 8 | static_cast<unsigned char>(c);
    return n;
  }
  std::string_view string() { return take(number()); }
  std::string_view take(size_t n) {
    if (n > rest_.size()) throw failed("cannot read the ssh key: it is cut off");
    auto part = rest_.substr(0, n);
    rest_.remove_prefix(n);
    return part;
  }
  bool empty() const { return rest_.empty(); }

private:
  std::string_view rest_;
};

void expect(bool ok, std::string_view what) {
  if (!ok) throw failed("cannot read the ssh key: {}", what);
}

std::array<unsigned char, 32> bytes_of(std::string_view s) {
  expect(s.size() == 32, "a part of it has the wrong length");
  std::array<unsigned char, 32> bytes{};
  std::copy(s.begin(), s.end(), bytes.begin());
  return bytes;
}

} // namespace

std::string public_blob(const KeyPair& key) {
  std::string blob;
  put_string(blob, key_type);
  put_string(blob, text_of(key.open));
  return blob;
}

std::string public_line(const KeyPair& key, std::string_view comment) {
  std::string line = fmt::format("{} {}", key_type, base64(public_blob(key)));
  if (!comment.empty()) line += fmt::format(" {}", comment);
  return line;
}

std::string parse_public_line(std::string_view line) {
  auto parts = split(trim(line), ' ');
  expect(parts.size() >= 2 && parts[0] == key_type, "it is no ssh-ed25519 public key");
  auto blob = from_base64(parts[1]);
  expect(blob.has_value(), "it is not base64");
  Reader in(*blob);
  expect(in.string() == key_type, "it is no ssh-ed25519 public key");
  bytes_of(in.string());
  expect(in.empty(), "something follows it");
  return *blob;
}

std::string openssh_private(const KeyPair& key, std::string_view comment) {
  std::string secret;
  // Two equal numbers tell a reader that it decrypted rightly. Nothing is encrypted here, so that
  // they need not be random: from the key itself, the same key always gives the same text.
  std::string check = text_of(key.open).substr(0, 4);
  secret += check + check;
  put_string(secret, key_type);
  put_string(secret, text_of(key.open));
  put_string(secret, text_of(key.secret) + text_of(key.open));
  put_string(secret, comment);
  for (char pad = 1; secret.size() % 8 != 0; pad++) secret += pad;

  std::string blob(magic);
  put_string(blob, "none"); // cipher
  put_string(blob, "none"); // key derivation
  put_string(blob, "");     // and its options
  put_number(blob, 1);
  put_string(blob, public_blob(key));
  put_string(blob, secret);

  std::string text = base64(blob), out(begin_line);
  out += '\n';
  for (size_t at = 0; at < text.size(); at += 70) out += text.substr(at, 70) + '\n';
  out += end_line;
  return out += '\n';
}

KeyPair parse_openssh_private(std::string_view text) {
  std::string digits;
  bool inside = false, ended = false;
  for (const auto& raw : split(text, '\n')) {
    auto line = trim(raw);
    if (line == begin_line)
      inside = true;
    else if (line == end_line)
      ended = inside;
    else if (inside && !ended)
      digits += line;
  }
  expect(ended, "it is no OpenSSH private key");
  auto blob = from_base64(digits);
  expect(blob.has_value(), "it is not base64");
  Reader in(*blob);
  expect(in.take(magic.size()) == magic, "it is no OpenSSH private key");
  auto cipher = in.string(), derivation = in.string();
  in.string();
  expect(cipher == "none" && derivation == "none", "it is encrypted");
  expect(in.number() == 1, "it is not one key");
  auto open = in.string();

  Reader secret(in.string());
  uint32_t check = secret.number();
  expect(check == secret.number(), "it is damaged");
  expect(secret.string() == key_type, "it is no ssh-ed25519 key");
  KeyPair key;
  key.open = bytes_of(secret.string());
  auto both = secret.string();
  expect(both.size() == 64, "a part of it has the wrong length");
  key.secret = bytes_of(both.substr(0, 32));
  expect(both.substr(32) == text_of(key.open) && open == public_blob(key),
         "its parts contradict each other");
  return key;
}

std::string dropbear_private(const KeyPair& key) {
  std::string blob;
  put_string(blob, key_type);
  put_string(blob, text_of(key.secret) + text_of(key.open));
  return blob;
}

} // namespace banger::guest
