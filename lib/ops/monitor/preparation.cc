#include "ops/monitor/preparation.h"

#include <algorithm>

#include <fcntl.h>

#include "core/text.h"
#include "guest/boot/protocol.h"
#include "guest/identity/seed.h"
#include "ops/common/zone.h"
#include "ops/monitor/disks.h"
#include "ops/monitor/pin.h"
#include "ops/monitor/place_helper.h"
#include "ops/net/place.h"
#include "ops/ssh/config.h"
#include "sys/copy.h"
#include "sys/file.h"
#include "sys/lock.h"
#include "sys/own_file.h"

namespace banger::ops {

namespace {

constexpr Millis time_for_a_key{60'000}, time_to_pin{60'000}, time_to_map{60'000};

// What writers left that were killed at it. The first one's lock is for all: whoever has it now
// replaces that.
void remove_half_written(const std::vector<std::string>& paths) {
  try {
    auto held = sys::FileLock::try_take(paths.front() + ".lock");
    if (!held) return;
    for (const std::string& path : paths) sys::remove_unfinished(path);
  } catch (const Error&) {
    // Its directory is not there yet.
  }
}

// None too where a power cut left the file empty (keep_host_key was not reached).
std::optional<guest::KeyPair> kept_host_key(const Places& places) {
  auto text = sys::find_content(places.host_key);
  if (!text || text->empty()) return {};
  try {
    return guest::parse_openssh_private(*text);
  } catch (Error& e) {
    throw std::move(e.within(fmt::format("cannot use '{}'", places.host_key)))
        .hint(fmt::format("to have a new one made: rm {}", shell_quote(places.host_key)));
  }
}

vmm::Machine machine_of(const MonitorRequest& request, const Places& places, const Vm& vm,
                        const std::vector<vmm::Disk>& disks) {
  vmm::Machine m;
  m.name = vm.name;
  m.accel = request.accel;
  m.cpus = vm.cpus;
  m.memory = vm.memory;
  m.command_line = vmm::kernel_command_line(request.accel, request.tsc_khz);
  m.disks = disks;
  m.mac = vm.mac;
  m.net_limit = vm.limits.net;
  m.verbose = request.log_level == name_of(Level::debug);
  m.console = places.console;
  return m;
}

void write_initrd(const MonitorRequest& request, const Places& places, const guest::Seed& seed) {
  std::string path = places.runtime + "/" + vmm::initrd_file;
  sys::remove_tree(path); // of a VMM that this monitor has taken over
  sys::copy_sparse(request.initrd, path);
  Fd file = sys::open_own(path, sys::OwnKind::file, O_WRONLY | O_APPEND);
  auto size = static_cast<size_t>(sys::size_of(file.get()));
  sys::write_all(file.get(), guest::padding_for(size) + guest::seed_archive(seed));
}

} // namespace

Preparation::Preparation(Context& ctx, sys::Loop& loop, const MonitorRequest& request,
                         const Places& places, const Vm& vm, Readiness& readiness, Network& network,
                         int errors, Done done)
    : ctx_(ctx), loop_(loop), request_(request), places_(places), vm_(vm), readiness_(readiness),
      network_(network), errors_(errors), done_(std::move(done)) {
  find_host_key();
  find_state_key();
  map_root();
  network.prepare([this](std::optional<Error> fault) { step_done(std::move(fault)); });
}

Preparation::~Preparation() {
  if (std::exchange(keygen_, nullptr))
    remove_half_written({ctx_.dirs.identity(), ctx_.dirs.identity() + ".pub"});
  if (std::exchange(pinner_, nullptr)) {
    remove_half_written({ctx_.dirs.known_hosts()});
    remove_half_written({ssh_config_path(ctx_.dirs)});
  }
}

void Preparation::find_host_key() {
  host_key_ = kept_host_key(places_);
  if (host_key_) {
    readiness_.warm_up();
    open_steps_--;
    return;
  }
  is_new_key_ = true;
  readiness_.make_host_key([this](auto key) {
    if (!key) return step_done(std::move(key).error());
    host_key_ = std::move(*key);
    step_done({});
  });
}

void Preparation::find_state_key() {
  if (auto line = sys::find_content(ctx_.dirs.identity() + ".pub"))
    if (sys::exists(ctx_.dirs.identity())) {
      authorized_ = *line;
      open_steps_--;
      return;
    }
  sys::Command command{
      {ctx_.dirs.libexec + "/banger-guest", "keygen", "--state-keys", ctx_.dirs.keys()},
      {},
      {},
      {}};
  keygen_ =
      std::make_unique<Helper>(loop_, command, "", errors_, time_for_a_key, [this](auto line) {
        keygen_.reset();
        if (!line)
          return step_done(std::move(line).error().within("cannot make the state's ssh key"));
        try {
          authorized_ = guest::parse_keygen_reply(*line).public_line;
        } catch (const Error& e) {
          return step_done(e);
        }
        step_done({});
      });
}

void Preparation::map_root() {
  if (places_.cow.empty()) {
    open_steps_--;
    return;
  }
  mapper_ = ask_place(ctx_, loop_, {"map", vm_.id}, places_.runtime, errors_, time_to_map,
                      [this](std::optional<Error> fault) {
                        mapper_.reset();
                        step_done(std::move(fault));
                      });
}

void Preparation::step_done(std::optional<Error> fault) {
  if (!done_) return; // another step has failed
  if (!fault && --open_steps_ > 0) return;
  if (!fault) fault = pin();
  if (fault) return end(std::unexpected(std::move(*fault)));
  if (!pinner_) go_on();
}

// ssh on the host is told of the VM before it runs: at once, or by a helper where locks are held.
std::optional<Error> Preparation::pin() {
  try {
    vm_ = ctx_.state.get_vm(vm_.id); // its ports on the host were chosen meanwhile
    if (is_new_key_)
      sys::write_atomic(places_.host_key, guest::openssh_private(*host_key_, "banger"), 0600,
                        Outlives::process);
    if (try_to_pin_host(ctx_, vm_)) return {};
    pinner_ = ask_place(ctx_, loop_, {"pin", vm_.id}, places_.runtime, errors_, time_to_pin,
                        [this](std::optional<Error> fault) {
                          pinner_.reset();
                          if (fault) return end(std::unexpected(std::move(*fault)));
                          go_on();
                        });
    return {};
  } catch (const Error& e) {
    return e;
  }
}

void Preparation::go_on() {
  std::expected<Prepared, Error> made = std::unexpected(failed("nothing was made"));
  try {
    made = make_files();
  } catch (const Error& e) {
    made = std::unexpected(e);
  }
  end(std::move(made));
}

void Preparation::end(std::expected<Prepared, Error> how) {
  if (Done done = std::exchange(done_, {})) done(std::move(how));
}

Prepared Preparation::make_files() {
  guest::Seed seed;
  seed.hostname = vm_.name;
  seed.address = vm_.address;
  seed.prefix = vm_.prefix;
  seed.gateway = vm_.gateway;
  seed.dns = network_.resolver(vm_);
  seed.mac = vm_.mac;
  std::string zone = zone_of(ctx_.state);
  seed.files = guest::identity_files(seed, zone, *host_key_, authorized_);
  std::vector<vmm::Disk> disks = disks_of(places_, vm_, seed);
  write_initrd(request_, places_, seed);
  return {vm_, machine_of(request_, places_, vm_, disks), endpoint_of(ctx_.dirs, places_, vm_),
          has_room_to_grow(places_)};
}

std::string keep_kernel(const Places& places, const std::string& path, int kernel) {
  if (sys::exists(path)) return path;
  std::string copy = places.runtime + "/" + vmm::kernel_file;
  sys::remove_tree(copy);
  sys::copy_sparse(fmt::format("/proc/self/fd/{}", kernel), copy);
  return {};
}

void keep_host_key(const Places& places) {
  sys::sync_file(places.host_key);
  sys::sync_dir(places.dir);
}

guest::Endpoint endpoint_of(const Dirs& dirs, const Places& places, const Vm& vm) {
  guest::Endpoint e;
  e.address = vm.reach;
  e.port = vm.ssh_port;
  e.identity = dirs.identity();
  e.host_key = guest::public_line(guest::parse_openssh_private(sys::read_file(places.host_key)));
  return e;
}

} // namespace banger::ops
