#include "init/seed.h"

#include <arpa/inet.h>
#include <cstring>

namespace banger::init {

std::string_view before(std::string_view text, char end) {
  size_t at = text.find(end);
  if (at != text.npos) text.remove_suffix(text.size() - at);
  return text;
}

namespace {

// Takes a line off `text`.
std::string_view next_line(std::string_view& text) {
  std::string_view line = before(text, '\n');
  text.remove_prefix(line.size() == text.size() ? line.size() : line.size() + 1);
  return line;
}

template <size_t N>
bool copy(std::string_view value, char (&field)[N]) {
  if (value.size() >= N || value.find('\0') != value.npos) return false;
  memcpy(field, value.data(), value.size());
  field[value.size()] = '\0';
  return true;
}

bool parse_address(std::string_view value, uint32_t& address) {
  char text[INET_ADDRSTRLEN];
  in_addr parsed;
  if (!copy(value, text) || inet_pton(AF_INET, text, &parsed) != 1) return false;
  address = parsed.s_addr;
  return true;
}

bool parse_number(std::string_view value, unsigned max, unsigned& number) {
  if (value.empty() || value.size() > 4) return false;
  unsigned n = 0;
  for (char c : value) {
    if (c < '0' || c > '9') return false;
    n = n * 10 + static_cast<unsigned>(c - '0');
  }
  number = n;
  return n <= max;
}

bool parse_mac(std::string_view value, char (&mac)[18]) {
  if (!copy(value, mac) || value.size() != 17) return false;
  for (size_t i = 0; i < 17; i++) {
    char& c = mac[i];
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
    bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    if (i % 3 == 2 ? c != ':' : !hex) return false;
  }
  return true;
}

bool parse_disk(std::string_view value, bool& overlay) {
  overlay = value == "overlay";
  return overlay || value == "direct";
}

bool parse_prefix(std::string_view value, int& prefix) {
  unsigned n;
  if (!parse_number(value, 32, n)) return false;
  prefix = static_cast<int>(n);
  return true;
}

template <size_t N>
bool parse_path(std::string_view value, char (&field)[N]) {
  return value.starts_with('/') && copy(value, field);
}

} // namespace

const char* parse_seed(std::string_view text, Seed& seed) {
  while (!text.empty()) {
    std::string_view line = next_line(text);
    std::string_view key = before(line, '='), value = line;
    if (key.size() == line.size()) continue;
    value.remove_prefix(key.size() + 1);
    if (key == "hostname" && !copy(value, seed.hostname)) return "hostname";
    if (key == "address" && !parse_address(value, seed.address)) return "address";
    if (key == "gateway" && !parse_address(value, seed.gateway)) return "gateway";
    if (key == "prefix" && !parse_prefix(value, seed.prefix)) return "prefix";
    if (key == "mac" && !parse_mac(value, seed.mac)) return "mac";
    if (key == "disk" && !parse_disk(value, seed.overlay)) return "disk";
    if (key == "root" && !parse_path(value, seed.root)) return "root";
    if (key == "upper" && !parse_path(value, seed.upper)) return "upper";
    if (key == "work" && !parse_path(value, seed.work)) return "work";
    if (key == "work_mount" && !parse_path(value, seed.work_mount)) return "work_mount";
    if (key == "init" && !parse_path(value, seed.init)) return "init";
  }
  return nullptr;
}

bool next_module(std::string_view& text, Module& module) {
  constexpr std::string_view virtio = "virtio:";
  while (!text.empty()) {
    std::string_view line = next_line(text);
    module = {.path = before(line, ' ')};
    if (module.path.empty()) continue;
    std::string_view when = line;
    when.remove_prefix(module.path.size() == line.size() ? line.size() : module.path.size() + 1);
    if (when == "overlay") module.when = Module::When::overlay;
    if (when.starts_with(virtio)) {
      when.remove_prefix(virtio.size());
      if (parse_number(when, 9999, module.virtio_type)) module.when = Module::When::virtio;
    }
    return true;
  }
  return false;
}

} // namespace banger::init
