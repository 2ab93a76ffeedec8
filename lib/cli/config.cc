#include "cli/config.h"

#include <array>
#include <cstdlib>

#include <arpa/inet.h>

#include "core/error.h"
#include "core/text.h"
#include "core/units.h"
#include "sys/file.h"

namespace banger::cli {

namespace {

// "auto" is the empty optional.
template <typename T>
std::optional<T> or_auto(std::string_view value, T (*parse)(std::string_view)) {
  if (value == "auto") return std::nullopt;
  return parse(value);
}

Error invalid(std::string_view what, std::string_view value, std::string_view why) {
  return usage("invalid {} '{}': {}", what, value, why);
}

bool parse_bool(std::string_view what, std::string_view value) {
  if (value == "true") return true;
  if (value == "false") return false;
  throw invalid(what, value, "it is true or false");
}

std::string filled(std::string_view what, std::string_view value) {
  if (value.empty()) throw invalid(what, value, "it is empty");
  return std::string(value);
}

bool is_ipv4(const std::string& text) {
  in_addr address{};
  return ::inet_pton(AF_INET, text.c_str(), &address) == 1;
}

std::string subnet(std::string_view what, std::string_view value) {
  auto parts = split(value, '/');
  if (parts.size() != 2 || !is_ipv4(parts[0]))
    throw invalid(what, value, "write it as 10.0.2.0/24");
  parse_number(what, parts[1], 8, 29);
  return std::string(value);
}

std::string listen(std::string_view what, std::string_view value) {
  auto parts = split(value, ':');
  if (parts.size() != 2 || !is_ipv4(parts[0]))
    throw invalid(what, value, "write it as 127.0.0.1:42069");
  parse_number(what, parts[1], 1, 65535);
  return std::string(value);
}

std::string zone(std::string_view what, std::string_view value) {
  for (const std::string& label : split(value, '.')) valid_name(what, label);
  return std::string(value);
}

using Type = ConfigKey::Type;
using Text = std::string_view;

constexpr std::array<ConfigKey, 21> keys{{
    {"", "runtime_dir", Type::text,
     [](Settings& s, Text w, Text v) { s.runtime_dir = filled(w, v); }},
    {"log", "level", Type::text, [](Settings& s, Text, Text v) { s.log_level = parse_level(v); }},
    {"vm", "image", Type::text, [](Settings& s, Text w, Text v) { s.vm_image = filled(w, v); }},
    {"vm", "cpus", Type::number,
     [](Settings& s, Text w, Text v) { s.vm_cpus = static_cast<int>(parse_number(w, v, 1, 64)); }},
    {"vm", "memory", Type::size,
     [](Settings& s, Text w, Text v) { s.vm_memory = parse_size(w, v); }},
    {"vm", "memory_limit", Type::size,
     [](Settings& s, Text w, Text v) { s.vm_memory_limit = parse_size(w, v); }},
    {"vm", "vmm", Type::text,
     [](Settings& s, Text, Text v) { s.vm_vmm = or_auto(v, parse_vmm_kind); }},
    {"vm", "accel", Type::text,
     [](Settings& s, Text, Text v) { s.vm_accel = or_auto(v, parse_accel); }},
    {"vm", "root", Type::text,
     [](Settings& s, Text, Text v) { s.vm_root = or_auto(v, parse_root_way); }},
    {"vm", "stop_timeout", Type::duration,
     [](Settings& s, Text w, Text v) { s.vm_stop_timeout = parse_duration(w, v); }},
    {"vm", "ready_timeout", Type::duration,
     [](Settings& s, Text w, Text v) { s.vm_ready_timeout = parse_duration(w, v); }},
    {"net", "mode", Type::text,
     [](Settings& s, Text, Text v) { s.net_mode = or_auto(v, parse_net_mode); }},
    {"net", "subnet", Type::text, [](Settings& s, Text w, Text v) { s.net_subnet = subnet(w, v); }},
    {"net", "isolated_outbound", Type::boolean,
     [](Settings& s, Text w, Text v) { s.net_isolated_outbound = parse_bool(w, v); }},
    {"net", "host_access", Type::boolean,
     [](Settings& s, Text w, Text v) { s.net_host_access = parse_bool(w, v); }},
    {"dns", "listen", Type::text, [](Settings& s, Text w, Text v) { s.dns_listen = listen(w, v); }},
    {"dns", "zone", Type::text, [](Settings& s, Text w, Text v) { s.dns_zone = zone(w, v); }},
    {"dns", "ttl", Type::number,
     [](Settings& s, Text w, Text v) {
       s.dns_ttl = static_cast<int>(parse_number(w, v, 0, 86400));
     }},
    {"dns", "autostart", Type::boolean,
     [](Settings& s, Text w, Text v) { s.dns_autostart = parse_bool(w, v); }},
    {"firecracker", "binary", Type::text,
     [](Settings& s, Text w, Text v) { s.firecracker_binary = filled(w, v); }},
    {"qemu", "binary", Type::text,
     [](Settings& s, Text w, Text v) { s.qemu_binary = filled(w, v); }},
}};

} // namespace

std::string ConfigKey::full_name() const {
  return section.empty() ? std::string(name) : fmt::format("{}.{}", section, name);
}

std::string ConfigKey::environment() const {
  std::string out = "BANGER_";
  for (char c : full_name())
    out += c == '.' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return out;
}

std::span<const ConfigKey> config_keys() { return keys; }

Environment process_environment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr || *value == '\0') return std::nullopt;
    return value;
  };
}

Settings load_settings(const Environment& env, const Common& common, const Dirs& dirs) {
  Settings settings;
  if (auto text = sys::find_content(dirs.config_file, size_t{1} << 20))
    apply_config_file(settings, *text, dirs.config_file);
  else if (common.config || env("BANGER_CONFIG"))
    throw usage("cannot read config file '{}': it does not exist", dirs.config_file)
        .subject(dirs.config_file)
        .hint(common.config ? "it was named by --config" : "it was named by BANGER_CONFIG");

  for (const ConfigKey& key : keys) {
    std::string variable = key.environment();
    auto value = env(variable);
    if (!value) continue;
    try {
      key.apply(settings, variable, *value);
    } catch (Error& e) {
      if (e.message().find(variable) == std::string::npos) e.within(variable);
      throw;
    }
  }
  if (common.log_level) settings.log_level = parse_level(*common.log_level);
  return settings;
}

} // namespace banger::cli
