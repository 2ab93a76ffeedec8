#include "model/subnet.h"

#include <algorithm>
#include <charconv>

#include "core/error.h"
#include "core/text.h"
#include "core/units.h"

namespace banger {

namespace {

constexpr uint32_t first_of_dhcp = 15;

uint32_t mask(int prefix) { return prefix == 0 ? 0 : ~uint32_t{0} << (32 - prefix); }

} // namespace

Address parse_address(std::string_view what, std::string_view text, std::string_view whole) {
  auto bytes = split(text, '.');
  if (bytes.size() != 4 && whole.empty())
    throw usage("invalid {} '{}': it is no IPv4 address", what, text);
  if (whole.empty()) whole = text;
  if (bytes.size() != 4) throw usage("invalid {} '{}': '{}' is no IPv4 address", what, whole, text);
  uint32_t value = 0;
  for (const std::string& b : bytes) {
    uint32_t byte = 0;
    auto [end, error] = std::from_chars(b.data(), b.data() + b.size(), byte);
    if (error != std::errc() || end != b.data() + b.size() || byte > 255)
      throw usage("invalid {} '{}': '{}' is no number from 0 to 255", what, whole, b);
    value = value << 8 | byte;
  }
  return {value};
}

std::string to_text(Address a) {
  return fmt::format("{}.{}.{}.{}", a.value >> 24, a.value >> 16 & 255, a.value >> 8 & 255,
                     a.value & 255);
}

std::string to_text(const Prefix& p) { return fmt::format("{}/{}", to_text(p.address), p.length); }

bool overlap(const Prefix& a, const Prefix& b) {
  uint32_t common = mask(std::min(a.length, b.length));
  return (a.address.value & common) == (b.address.value & common);
}

std::vector<Prefix> merged(std::vector<Prefix> prefixes) {
  // The wider of two that begin alike comes first; those within it follow at once.
  std::sort(prefixes.begin(), prefixes.end());
  std::vector<Prefix> kept;
  for (const Prefix& p : prefixes) {
    bool within = !kept.empty() && kept.back().length <= p.length &&
                  (p.address.value & mask(kept.back().length)) == kept.back().address.value;
    if (!within) kept.push_back(p);
  }
  return kept;
}

Subnet Subnet::parse(std::string_view text) {
  auto bad = [&](std::string_view why) {
    return usage("invalid subnet '{}': {}", text, why).hint("10.0.2.0/24 is one");
  };
  size_t slash = text.find('/');
  if (slash == text.npos) throw bad("it has no prefix");
  Subnet s;
  s.base_ = parse_address("subnet", text.substr(0, slash), text).value;
  s.prefix_ = static_cast<int>(parse_number("subnet", text.substr(slash + 1), 0, 32, text));
  if (s.prefix_ < 16 || s.prefix_ > 25) throw bad("its prefix must be from 16 to 25");
  if (s.base_ & ~mask(s.prefix_)) throw bad("it has bits behind its prefix");
  uint32_t top = s.base_ >> 24;
  if (top == 0 || top == 127 || top >= 224) throw bad("such addresses are not for hosts");
  return s;
}

Subnet Subnet::around(const std::string& address, int prefix) {
  Subnet s;
  s.prefix_ = prefix;
  s.base_ = parse_address("address", address).value & mask(prefix);
  return s;
}

std::string Subnet::text() const { return fmt::format("{}/{}", to_text(Address{base_}), prefix_); }

bool Subnet::contains(Address a) const { return (a.value & mask(prefix_)) == base_; }

bool Subnet::is_for_guests(Address a) const {
  uint32_t offset = a.value - base_, last = ~mask(prefix_);
  return contains(a) && offset > 3 && offset != first_of_dhcp && offset != last;
}

// 52:54:00 is the prefix that QEMU and libvirt use for guests.
std::string mac_of(Address a) {
  return fmt::format("52:54:00:{:02x}:{:02x}:{:02x}", a.value >> 16 & 0xff, a.value >> 8 & 0xff,
                     a.value & 0xff);
}

std::optional<Address> Subnet::lowest_free(const std::set<Address>& taken) const {
  for (uint32_t offset = 0; offset <= ~mask(prefix_); offset++)
    if (is_for_guests(at(offset)) && !taken.contains(at(offset))) return at(offset);
  return {};
}

} // namespace banger
