#include "cli/config.h"

#include <array>
#include <cstdlib>

#include "cli/kinds.h"
#include "core/error.h"
#include "model/zone.h"
#include "sys/file.h"

namespace banger::cli {

namespace {

struct Zone {
  static constexpr Form form = Form::text;
  std::string read(std::string_view what, std::string_view value) const {
    return valid_zone(what, value);
  }
};

struct Listen {
  static constexpr Form form = Form::text;
  Endpoint read(std::string_view what, std::string_view value) const {
    return parse_endpoint(what, value);
  }
};

// Whole seconds, as a record has them, and few: a name may go at any moment.
struct Ttl {
  static constexpr Form form = Form::duration;
  std::chrono::seconds read(std::string_view what, std::string_view value) const {
    Millis time = parse_duration(what, value);
    auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time);
    if (seconds != time || seconds > std::chrono::seconds(5))
      throw usage("invalid {} '{}': it is whole seconds, 5 at most", what, value)
          .subject(std::string(value));
    return seconds;
  }
};

constexpr Text filled{.may_be_empty = false};

constexpr std::array<ConfigKey, 22> keys{{
    {"", "runtime_dir", [](Settings& s) { return Target(filled, &s.runtime_dir); }},
    {"log", "level", [](Settings& s) { return Target(kinds::log_level(), &s.log_level); }},
    {"vm", "image", [](Settings& s) { return Target(filled, &s.vm_image); }},
    {"vm", "cpus", [](Settings& s) { return Target(kinds::cpus, &s.vm_cpus); }},
    {"vm", "memory", [](Settings& s) { return Target(Size{most_memory}, &s.vm_memory); }},
    {"vm", "memory_limit", [](Settings& s) { return Target(Size{}, &s.vm_memory_limit); }},
    {"vm", "vmm", [](Settings& s) { return Target(or_auto(kinds::vmm()), &s.vm_vmm); }},
    {"vm", "accel", [](Settings& s) { return Target(or_auto(kinds::accel()), &s.vm_accel); }},
    {"vm", "root", [](Settings& s) { return Target(or_auto(kinds::root_way()), &s.vm_root); }},
    {"vm", "confined", [](Settings& s) { return Target(Boolean{}, &s.vm_confined); }},
    {"vm", "stop_timeout", [](Settings& s) { return Target(Duration{}, &s.vm_stop_timeout); }},
    {"vm", "ready_timeout", [](Settings& s) { return Target(Duration{}, &s.vm_ready_timeout); }},
    {"net", "mode", [](Settings& s) { return Target(or_auto(kinds::net_mode()), &s.net_mode); }},
    {"net", "subnet", [](Settings& s) { return Target(As<Subnet::parse>{}, &s.net_subnet); }},
    {"net", "isolated_outbound",
     [](Settings& s) { return Target(Boolean{}, &s.net_isolated_outbound); }},
    {"net", "host_access", [](Settings& s) { return Target(Boolean{}, &s.net_host_access); }},
    {"dns", "listen", [](Settings& s) { return Target(Listen{}, &s.dns_listen); }},
    {"dns", "zone", [](Settings& s) { return Target(Zone{}, &s.dns_zone); }},
    {"dns", "ttl", [](Settings& s) { return Target(Ttl{}, &s.dns_ttl); }},
    {"dns", "autostart", [](Settings& s) { return Target(Boolean{}, &s.dns_autostart); }},
    {"qemu", "binary", [](Settings& s) { return Target(filled, &s.qemu_binary); }},
    {"firecracker", "binary", [](Settings& s) { return Target(filled, &s.firecracker_binary); }},
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
      key.in(settings).take(variable, *value);
    } catch (Error& e) {
      if (e.message().find(variable) == std::string::npos) e.within(variable);
      throw;
    }
  }
  if (common.log_level) settings.log_level = *common.log_level;
  return settings;
}

} // namespace banger::cli
