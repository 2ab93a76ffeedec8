#include "banger-vm/spec_options.h"

#include "core/error.h"
#include "core/text.h"
#include "core/units.h"

namespace banger::vm {

void SpecOptions::declare(cli::Spec& spec) {
  using cli::Complete;
  spec.options.insert(
      spec.options.end(),
      {{"--image",
        "IMAGE",
        "image to make the root disk from",
        "the bundle's",
        Complete::images,
        {},
        &image},
       {"--cpus", "N", "virtual cpus", "1", Complete::nothing, {}, &cpus},
       {"--memory", "SIZE", "memory", "512M", Complete::nothing, {}, &memory},
       {"--disk", "SIZE", "size of the root disk", "the image's", Complete::nothing, {}, &disk},
       {"--root",
        "WAY",
        "how the root disk is made from the image",
        "auto",
        Complete::words,
        {"reflink", "copy"},
        &root},
       {"--net", "MODE", "network", "auto", Complete::words, {"isolated"}, &net},
       {"-p,--publish",
        "[ADDR:]HOST:GUEST[/udp]",
        "make a port of the guest reachable on the host",
        "",
        Complete::nothing,
        {},
        &publish},
       {"--label", "KEY=VALUE", "attach a label", "", Complete::nothing, {}, &labels},
       {"--vmm", "VMM", "virtual machine monitor", "auto", Complete::words, {"qemu"}, &vmm},
       {"--accel",
        "ACCEL",
        "hardware or software virtualisation",
        "auto",
        Complete::words,
        {"kvm", "tcg"},
        &accel},
       {"--dry-run",
        "",
        "check everything, say what would be made, make nothing",
        "",
        Complete::nothing,
        {},
        &dry_run}});
}

VmSpec SpecOptions::to_spec(const std::string& name, const Settings& settings) const {
  constexpr int64_t most_memory = int64_t{1} << 44;
  VmSpec s;
  s.name = valid_name("VM name", name);
  s.image = image.value_or("");
  s.cpus = cpus ? static_cast<int>(parse_number("number of cpus", *cpus, 1, 64)) : settings.vm_cpus;
  s.memory = memory ? parse_size("memory", *memory, most_memory) : settings.vm_memory;
  if (disk) s.disk = parse_size("disk size", *disk, int64_t{1} << 44);
  if (root) s.root = parse_root_way(*root);
  s.net = net ? std::optional(parse_net_mode(*net)) : settings.net_mode;
  s.vmm = vmm ? std::optional(parse_vmm_kind(*vmm)) : settings.vm_vmm;
  s.accel = accel ? std::optional(parse_accel(*accel)) : settings.vm_accel;
  for (const std::string& l : labels) s.labels.insert(parse_label(l));
  for (const std::string& p : publish) s.publish.push_back(parse_publish(p));
  return s;
}

Port parse_publish(const std::string& text) {
  auto bad = [&] {
    return usage("invalid port '{}': it is not [ADDR:]HOST:GUEST[/udp]", text)
        .hint("8080:80 makes the guest's port 80 reachable as 8080");
  };
  Port port;
  std::string rest = text;
  if (size_t slash = rest.find('/'); slash != std::string::npos) {
    port.proto = rest.substr(slash + 1);
    rest.resize(slash);
    if (port.proto != "tcp" && port.proto != "udp") throw bad();
  }
  auto parts = split(rest, ':');
  if (parts.size() < 2 || parts.size() > 3) throw bad();
  if (parts.size() == 3) {
    port.host_address = parts[0];
    auto bytes = split(parts[0], '.');
    if (bytes.size() != 4) throw bad();
    for (const std::string& b : bytes) parse_number("address", b, 0, 255);
  }
  port.host = static_cast<int>(parse_number("port", parts[parts.size() - 2], 1, 65535));
  port.guest = static_cast<int>(parse_number("port", parts.back(), 1, 65535));
  return port;
}

} // namespace banger::vm
