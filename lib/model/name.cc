#include "model/name.h"

#include <algorithm>
#include <array>

#include <sys/random.h>

#include "core/error.h"
#include "core/text.h"

namespace banger {

namespace {

constexpr size_t id_size = 12;

bool is_lower_alnum(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

template <size_t N>
std::array<unsigned char, N> random_bytes() {
  std::array<unsigned char, N> bytes{};
  if (getrandom(bytes.data(), N, 0) != static_cast<ssize_t>(N))
    throw sys_error(errno, "cannot get random bytes");
  return bytes;
}

// The fault of a text as an RFC 1123 label; empty if it has none.
std::string_view name_fault(std::string_view text) {
  if (text.empty()) return "it is empty";
  if (text.size() > 63) return "it is longer than 63 characters";
  for (char c : text) {
    if (c >= 'A' && c <= 'Z') return "it has upper-case letters";
    if (!is_lower_alnum(c) && c != '-') return "only a-z, 0-9 and '-' may stand in it";
  }
  if (text.front() == '-' || text.back() == '-') return "it begins or ends with '-'";
  return {};
}

} // namespace

bool is_name(std::string_view text) { return name_fault(text).empty(); }

std::string valid_name(std::string_view what, std::string_view text) {
  auto fault = name_fault(text);
  if (!fault.empty())
    throw usage("invalid {} '{}': {}", what, escape_for_terminal(text.substr(0, 80)), fault)
        .subject(std::string(text.substr(0, 80)))
        .hint("use lower-case letters, digits and '-', at most 63 characters");
  return std::string(text);
}

bool is_reserved_vm_name(std::string_view name) {
  constexpr std::array<std::string_view, 4> verbs{"cp", "sync", "forward", "config"};
  return std::find(verbs.begin(), verbs.end(), name) != verbs.end();
}

std::string_view other_meaning(std::string_view name) {
  if (is_reserved_vm_name(name)) return "it is a verb of banger ssh";
  return other_image_meaning(name);
}

std::string_view other_image_meaning(std::string_view name) {
  // The names that distributions write into /etc/hosts.
  constexpr std::array<std::string_view, 14> hosts{
      "localhost",     "localhost4",     "localhost6",      "localdomain",  "localdomain4",
      "localdomain6",  "ip6-loopback",   "ip6-localnet",    "ip6-allnodes", "ip6-allhosts",
      "ip6-localhost", "ip6-allrouters", "ip6-mcastprefix", "broadcasthost"};
  auto digits = [](std::string_view s) {
    return s.find_first_not_of("0123456789") == std::string_view::npos;
  };
  if (std::find(hosts.begin(), hosts.end(), name) != hosts.end())
    return "it is a name of the host itself";
  // As inet_aton reads them: "1" is 0.0.0.1.
  bool is_hexadecimal = name.starts_with("0x") && name.size() > 2 &&
                        std::all_of(name.begin() + 2, name.end(), is_hex);
  if (digits(name) || is_hexadecimal) return "to other programs such a number is an address";
  if (name.size() == id_size && std::all_of(name.begin(), name.end(), is_hex))
    return "it has the form of an id";
  return {};
}

bool is_id_prefix(std::string_view text) {
  return text.size() >= 4 && text.size() <= id_size &&
         std::all_of(text.begin(), text.end(), is_hex);
}

std::string new_id() {
  std::string id;
  for (unsigned char b : random_bytes<6>()) id += fmt::format("{:02x}", b);
  return id;
}

std::string new_tag() {
  for (;;) {
    auto b = random_bytes<2>();
    if (b[0] != 0 && b[0] != 0xff) return fmt::format("{:02x}{:02x}", b[0], b[1]);
  }
}

std::pair<std::string, std::string> parse_label(std::string_view text) {
  auto bad = [&](std::string_view why) {
    return usage("invalid label '{}': {}", escape_for_terminal(text.substr(0, 80)), why)
        .hint("write a label as key=value");
  };
  size_t eq = text.find('=');
  if (eq == std::string_view::npos) throw bad("there is no '='");
  std::string_view key = text.substr(0, eq), value = text.substr(eq + 1);
  if (key.empty() || key.size() > 63) throw bad("the key has 1 to 63 characters");
  for (char c : key) {
    bool ok = is_lower_alnum(c) || (c >= 'A' && c <= 'Z') ||
              std::string_view("._/-").find(c) != std::string_view::npos;
    if (!ok) throw bad("only letters, digits and . _ / - may stand in the key");
  }
  if (value.size() > 255) throw bad("the value is longer than 255 bytes");
  if (escape_for_terminal(value) != value || value.find_first_of("\n\t") != std::string_view::npos)
    throw bad("the value has control characters or invalid UTF-8");
  return {std::string(key), std::string(value)};
}

} // namespace banger
