#include "dns/name.h"

#include <vector>

#include "core/error.h"
#include "core/text.h"

namespace banger::dns {

Name parse_name(std::string_view text) {
  auto bad = [&](std::string_view why) {
    return usage("invalid name '{}': {}", escape_for_terminal(text.substr(0, 80)), why)
        .subject(std::string(text.substr(0, 80)));
  };
  std::string_view rest = text;
  if (rest.ends_with('.')) rest.remove_suffix(1);
  Name name;
  if (!rest.empty() || text.empty())
    for (const std::string& label : split(rest, '.')) {
      if (label.empty()) throw bad("a label of it is empty");
      if (label.size() > longest_label) throw bad("a label of it is longer than 63 characters");
      name += static_cast<char>(label.size());
      for (char c : label) name += lower(c);
    }
  name += '\0';
  if (name.size() > longest_name) throw bad("it is longer than 253 characters");
  return name;
}

std::string to_text(std::string_view name) {
  std::string out;
  for (size_t at = 0; at < name.size() && name[at] != 0;) {
    size_t size = static_cast<unsigned char>(name[at]);
    if (!out.empty()) out += '.';
    for (char c : name.substr(at + 1, size)) {
      bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                   c == '-' || c == '_' || c == '*';
      if (plain)
        out += c;
      else
        out += fmt::format("\\{:03}", static_cast<unsigned char>(c));
    }
    at += 1 + size;
  }
  return out.empty() ? "." : out;
}

Name reverse_name(Address a) {
  uint32_t v = a.value;
  return parse_name(
      fmt::format("{}.{}.{}.{}.in-addr.arpa", v & 0xff, v >> 8 & 0xff, v >> 16 & 0xff, v >> 24));
}

namespace {

// A part of an address as a label: "7", but not "07" or "256".
std::optional<uint32_t> octet_of(std::string_view label) {
  if (label.empty() || label.size() > 3 || (label.size() > 1 && label[0] == '0')) return {};
  uint32_t value = 0;
  for (char c : label) {
    if (c < '0' || c > '9') return {};
    value = value * 10 + static_cast<uint32_t>(c - '0');
  }
  return value < 256 ? std::optional(value) : std::nullopt;
}

} // namespace

std::optional<Prefix> reversed(std::string_view name) {
  std::vector<std::string_view> labels;
  while (name.size() > 1) {
    size_t size = static_cast<unsigned char>(name[0]);
    labels.push_back(name.substr(1, size));
    name.remove_prefix(1 + size);
  }
  auto take = [&] {
    std::string_view last = labels.empty() ? std::string_view() : labels.back();
    if (!labels.empty()) labels.pop_back();
    return last;
  };
  if (take() != "arpa" || take() != "in-addr") return {};
  Prefix of{{0}, 0};
  for (; of.length < 32 && !labels.empty(); of.length += 8) {
    auto octet = octet_of(take());
    if (!octet) return {};
    of.address.value |= *octet << (24 - of.length);
  }
  return of.length > 0 ? std::optional(of) : std::nullopt;
}

} // namespace banger::dns
