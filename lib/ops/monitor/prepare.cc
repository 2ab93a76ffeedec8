#include "ops/monitor/prepare.h"

#include <algorithm>

#include <fcntl.h>

#include "core/error.h"
#include "core/text.h"
#include "guest/boot/protocol.h"
#include "guest/identity/keys.h"
#include "guest/identity/known_hosts.h"
#include "guest/identity/seed.h"
#include "ops/monitor/attach.h"
#include "ops/monitor/disks.h"
#include "ops/ssh/config.h"
#include "sys/copy.h"
#include "sys/file.h"
#include "sys/process.h"
#include "sys/socket.h"

namespace banger::ops {

namespace {

constexpr const char* zone = "vm";

std::string run_guest(const std::string& libexec, std::vector<std::string> words) {
  words.insert(words.begin(), libexec + "/banger-guest");
  return sys::run_ok({words, {}, {}, false}, {}, Millis(60'000));
}

// None too where a power cut left the file empty (keep_host_key was not reached).
std::optional<guest::KeyPair> find_host_key(const Places& places) {
  auto text = sys::find_content(places.host_key);
  if (!text || text->empty()) return {};
  try {
    return guest::parse_openssh_private(*text);
  } catch (Error& e) {
    throw std::move(e.within(fmt::format("cannot use '{}'", places.host_key)))
        .hint(fmt::format("to have a new one made: rm {}", shell_quote(places.host_key)));
  }
}

std::string authorized_key(const MonitorRequest& request, const Dirs& dirs) {
  if (auto line = sys::find_content(dirs.keys() + "/id_ed25519.pub"))
    if (sys::exists(dirs.keys() + "/id_ed25519")) return *line;
  std::string reply = run_guest(request.libexec_dir, {"keygen", "--state-keys", dirs.keys()});
  return guest::parse_keygen_reply(reply).public_line;
}

vmm::Machine machine_of(const MonitorRequest& request, const Vm& vm,
                        const std::vector<vmm::Disk>& disks) {
  vmm::Machine m;
  m.name = vm.name;
  m.accel = request.accel;
  m.cpus = vm.cpus;
  m.memory = vm.memory;
  m.command_line = vmm::kernel_command_line(request.accel, request.tsc_khz);
  m.disks = disks;
  m.mac = vm.mac;
  m.user_net = user_net_of(request, vm);
  return m;
}

void write_initrd(const MonitorRequest& request, const Places& places, const guest::Seed& seed) {
  std::string path = places.runtime + "/" + vmm::initrd_file;
  sys::remove_file(path);
  sys::copy_sparse(request.initrd, path);
  auto size = static_cast<size_t>(sys::find_info(path)->size);
  sys::append(path, guest::padding_for(size) + guest::seed_archive(seed));
}

} // namespace

Prepared prepare_boot(Context& ctx, PrivateNet& net, const MonitorRequest& request,
                      const Places& places, Vm& vm,
                      const std::function<guest::KeyPair()>& make_key) {
  std::string authorized = authorized_key(request, ctx.dirs);
  prepare_network(ctx, net, vm);
  auto kept = find_host_key(places);
  guest::KeyPair key = kept ? *kept : make_key();
  if (!kept)
    sys::write_atomic(places.host_key, guest::openssh_private(key, "banger"), 0600,
                      Outlives::process);
  guest::set_known_host(ctx.dirs.keys(),
                        {vm.name + "." + zone, vm.reach, vm.ssh_port, guest::public_line(key)});
  refresh_ssh_config(ctx);

  guest::Seed seed;
  seed.hostname = vm.name;
  seed.address = vm.address;
  seed.prefix = vm.prefix;
  seed.gateway = vm.gateway;
  seed.dns = resolver_of(vm);
  seed.mac = vm.mac;
  seed.files = guest::identity_files(seed, zone, key, authorized);
  std::vector<vmm::Disk> disks = link_disks(places, vm, seed);
  write_initrd(request, places, seed);

  sys::make_symlink(request.kernel, places.runtime + "/" + vmm::kernel_file);
  sys::make_symlink(places.console, places.runtime + "/" + vmm::console_file);
  return {machine_of(request, vm, disks), endpoint_of(ctx.dirs, places, vm),
          has_room_to_grow(places)};
}

bool has_host_key(const Places& places) { return find_host_key(places).has_value(); }

void keep_host_key(const Places& places) {
  sys::sync_file(places.host_key);
  sys::sync_dir(places.dir);
}

guest::Endpoint endpoint_of(const Dirs& dirs, const Places& places, const Vm& vm) {
  guest::Endpoint e;
  e.address = vm.reach;
  e.port = vm.ssh_port;
  e.identity = dirs.keys() + "/id_ed25519";
  e.host_key = guest::public_line(guest::parse_openssh_private(sys::read_file(places.host_key)));
  return e;
}

} // namespace banger::ops
