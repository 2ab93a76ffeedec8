#include "vmm/qemu.h"

#include <charconv>
#include <set>
#include <utility>

#include <fcntl.h>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/failpoint.h"
#include "core/text.h"
#include "sys/at.h"
#include "sys/file.h"
#include "sys/socket.h"
#include "vmm/balloon.h"
#include "vmm/qmp.h"

namespace banger::vmm {

namespace {

using Json = nlohmann::json;

constexpr const char* qmp_socket = "qmp.sock";
constexpr const char* console_socket = "console.sock";

// A comma ends a value in QEMU's options; two stand for one.
std::string escaped(const std::string& value) {
  std::string out;
  for (char c : value) out += c == ',' ? std::string(",,") : std::string(1, c);
  return out;
}

std::string netdev(std::monostate) { return {}; }

std::string netdev(const UserNet& net) {
  std::string opt =
      fmt::format("user,id=n0,ipv6=off,net={},host={},dns={},dhcpstart={},restrict={}", net.subnet,
                  net.gateway, net.dns, net.guest, net.restricted ? "on" : "off");
  for (const Port& p : net.forwards)
    opt +=
        fmt::format(",hostfwd={}:{}:{}-{}:{}", p.proto, p.host_address, p.host, net.guest, p.guest);
  return opt;
}

std::string netdev(const TapNet& net) {
  return fmt::format("tap,id=n0,ifname={},script=no,downscript=no,vhost=off", escaped(net.name));
}

// QEMU's ShutdownCause; under -no-reboot a reset arrives as a shutdown too.
VmmEvent end_of(const std::string& cause) {
  if (cause == "guest-reset" || cause == "guest-panic") return VmmEvent::guest_reset;
  if (cause == "guest-shutdown") return VmmEvent::guest_shutdown;
  return VmmEvent::host_quit;
}

// A member of one of QEMU's objects; empty where that is no text.
std::string text_of(const Json& object, const char* key) {
  auto it = object.is_object() ? object.find(key) : object.end();
  return it != object.end() && it->is_string() ? it->get<std::string>() : "";
}

// An errno's text, as it stands behind a colon.
std::string begun_small(std::string text) {
  if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z') text[0] += 'a' - 'A';
  return text;
}

// A second's worth may come at once: QEMU calls it the burst. 0 is no limit, of either.
Json throttle(const Disk& disk) {
  auto [bandwidth, ops] = disk.limit;
  return {{"device", disk.file}, {"bps", bandwidth},     {"bps_rd", 0},
          {"bps_wr", 0},         {"bps_max", bandwidth}, {"iops", ops},
          {"iops_rd", 0},        {"iops_wr", 0},         {"iops_max", ops}};
}

// The same as an option of a drive.
std::string throttle_option(const RateLimit& limit) {
  std::string text;
  for (const auto& [name, rate] : {std::pair("bps", limit.bandwidth), {"iops", limit.ops}})
    if (rate)
      text += fmt::format(",throttling.{0}-total={1},throttling.{0}-total-max={1}", name, rate);
  return text;
}

class RunningQemu : public Running, public UserNetControl {
public:
  RunningQemu(sys::Loop& loop, Fd fd, Told told)
      : loop_(loop), told_(std::move(told)),
        qmp_(loop, std::move(fd),
             [this](const std::string& name, const Json& data) { hear(name, data); }) {
    look_whether_paused();
  }
  ~RunningQemu() override { loop_.cancel(soon_); }

  // A guest that boots runs when the process does.
  void boot(const Machine& m, Done done) override {
    if (!m.saved.empty()) return load(m.saved, std::move(done));
    soon_ = loop_.after(Millis(0), [done = std::move(done)] { done({}); });
  }

  void knock(Done done) override {
    Json keys = Json::array();
    for (const char* key : {"ctrl", "alt", "delete"})
      keys.push_back({{"type", "qcode"}, {"data", key}});
    command("send-key", {{"keys", keys}}, std::move(done));
  }

  void pause(Done done) override { command("stop", Json::object(), std::move(done)); }
  // A guest that goes on while it is saved would stand still again at the end of that, even where
  // another monitor had begun it.
  void resume(Done done) override {
    qmp_.execute("migrate_cancel", Json::object(), patience, [](const auto&) {});
    let_go_on(std::move(done));
  }

  void limit(const std::vector<Disk>& disks, const std::optional<RateLimit>&, Done done) override {
    auto open = std::make_shared<size_t>(disks.size());
    for (const Disk& disk : disks)
      qmp_.execute("block_set_io_throttle", throttle(disk), patience,
                   [done, open](const auto& answer) {
                     if (*open == 0) return; // another was refused
                     if (!answer)
                       *open = 0;
                     else if (--*open > 0)
                       return;
                     done(answer ? std::nullopt : std::optional(answer.error()));
                   });
  }

  // QEMU saves a guest that stands still once, and not again before it has run.
  void save(const std::string& dir, Done done) override {
    qmp_.execute("query-status", Json::object(), patience, [this, dir, done](const auto& answer) {
      if (answer && text_of(*answer, "status") == "postmigrate")
        return done(conflict("QEMU saves a guest that stands still only once")
                        .hint("have it go on first: banger vm resume"));
      std::string shown = fmt::format("{}/{}", dir, memory_name);
      transfer(
          "migrate", [&](int d) { return sys::create_at(d, memory_name, 0600, shown); }, dir, done);
    });
  }

  void look_whether_halted(std::function<void(bool)> done) override {
    ask_person("info registers -a",
               [done = std::move(done)](auto answer) { done(answer && all_halted(*answer)); });
  }

  void look_at_memory(MemoryDone done) override { balloon_.look(std::move(done)); }

  void look_at_counters(CountersDone done) override {
    qmp_.execute("query-blockstats", Json::object(), patience,
                 [done = std::move(done)](auto answer) {
                   if (!answer) return done(std::unexpected(std::move(answer).error()));
                   done(parse_block_stats(*answer));
                 });
  }

  void read_rest() override { qmp_.read(); }
  std::string version() const override { return qmp_.version(); }
  UserNetControl* user_net() override { return this; }

  void add_forward(const Port& p, const std::string& guest, Done done) override {
    failpoint(Point::forward);
    ask_person(fmt::format("hostfwd_add n0 {}:{}:{}-{}:{}", p.proto, p.host_address, p.host, guest,
                           p.guest),
               [done = std::move(done)](auto answer) {
                 if (!answer) return done(std::move(answer).error());
                 if (!answer->empty()) return done(conflict("QEMU refuses it: {}", *answer));
                 done({});
               });
  }

  void remove_forward(const Port& p, Done done) override {
    failpoint(Point::forward);
    // It says "removed" or "not found"; both mean that it is absent.
    ask_person(fmt::format("hostfwd_remove n0 {}:{}:{}", p.proto, p.host_address, p.host),
               [done = std::move(done)](auto answer) {
                 done(answer ? std::nullopt : std::optional(std::move(answer).error()));
               });
  }

private:
  static constexpr Millis patience{5'000};
  static constexpr int64_t no_limit = int64_t{1} << 40; // bytes a second

  void load(const std::string& dir, Done done) {
    is_loading_ = true;
    auto go_on = [this, done](std::optional<Error> fault) {
      if (fault) return done(std::move(fault));
      command("cont", Json::object(), [this, done](std::optional<Error> e) {
        is_loading_ = false;
        done(std::move(e));
      });
    };
    auto open = [&](int d) {
      return sys::open_below(d, memory_name, O_RDONLY | O_NONBLOCK, dir + "/" + memory_name);
    };
    transfer("migrate-incoming", open, dir, go_on);
  }

  // QEMU tells that a save is completed before it has left the state "finish-migrate", in which it
  // refuses "cont", and does not tell when it has. It may leave it between that refusal and the
  // look at the state: a refusal is the last word where it had left it before.
  void let_go_on(Done done, bool has_left = false) {
    qmp_.execute("cont", Json::object(), patience, [this, done, has_left](auto refused) {
      if (refused) return done({});
      if (has_left) return done(refused.error());
      qmp_.execute("query-status", Json::object(), patience,
                   [this, done, why = refused.error()](const auto& answer) {
                     if (!answer) return done(why);
                     if (text_of(*answer, "status") != "finish-migrate")
                       return let_go_on(done, true);
                     soon_ = loop_.after(Millis(1), [this, done] { let_go_on(done); });
                   });
    });
  }

  // A migration to or from a file, which `open` opens in `dir`, not by a link that QEMU could have
  // replaced. QEMU does the commands in their order, and tells the end by an event; after a load
  // that fails it ends.
  template <typename Open>
  void transfer(const char* how, Open&& open, const std::string& dir, const Done& done) {
    Fd file;
    try {
      file = open(sys::open_file(dir, O_PATH | O_DIRECTORY | O_NOFOLLOW).get());
    } catch (const Error& e) {
      soon_ = loop_.after(Millis(0), [done, e] { done(e); });
      return;
    }
    moved_ = done;
    auto check = [this](const auto& answer) {
      if (!answer) end_transfer(answer.error());
    };
    auto events = Json::array({{{"capability", "events"}, {"state", true}}});
    qmp_.execute("migrate-set-capabilities", {{"capabilities", events}}, patience, check);
    qmp_.execute("migrate-set-parameters", {{"max-bandwidth", no_limit}}, patience, check);
    qmp_.execute_with(file.get(), "getfd", {{"fdname", "saved"}}, patience, check);
    qmp_.execute(how, {{"uri", "fd:saved"}}, patience, check);
  }

  void hear_of_transfer(const std::string& status) {
    if (status == "completed") return end_transfer({});
    if (status == "cancelled") return end_transfer(conflict("its guest was let go on meanwhile"));
    if (status != "failed") return;
    qmp_.execute("query-migrate", Json::object(), patience, [this](const auto& answer) {
      std::string why = answer ? escape_for_terminal(text_of(*answer, "error-desc")) : "";
      end_transfer(failed("QEMU has failed at it{}{}", why.empty() ? "" : ": ", why));
    });
  }

  void end_transfer(std::optional<Error> fault) {
    if (Done done = std::exchange(moved_, {})) done(std::move(fault));
  }

  void command(const char* name, const Json& arguments, Done done) {
    qmp_.execute(name, arguments, patience, [done = std::move(done)](auto answer) {
      done(answer ? std::nullopt : std::optional(std::move(answer).error()));
    });
  }

  void hear(const std::string& name, const Json& data) {
    if (name == "SHUTDOWN") {
      if (told_.event) told_.event(end_of(text_of(data, "reason")));
    } else if (name == "MIGRATION") {
      hear_of_transfer(text_of(data, "status"));
    } else if (name == "BLOCK_IO_ERROR") {
      fault_ = begun_small(escape_for_terminal(text_of(data, "reason")));
      if (text_of(data, "action") == "stop") return; // STOP comes next
      std::string fault = fmt::format("{}: {}: {}", escape_for_terminal(text_of(data, "device")),
                                      escape_for_terminal(text_of(data, "operation")), fault_);
      if (told_.disk_fault && faults_.size() < 100 && faults_.insert(fault).second)
        told_.disk_fault(fault);
    } else if (name == "STOP") {
      look_whether_paused();
    } else if (name == "RESUME") {
      changes_++;
      fault_.clear();
      tell_pause({});
    }
  }

  void tell_pause(std::optional<Pause> pause) {
    if (told_.pause) told_.pause(std::move(pause));
  }

  // An answer is dropped where QEMU has told of another change meanwhile.
  void look_whether_paused() {
    qmp_.execute("query-status", Json::object(), patience, [this, at = ++changes_](auto answer) {
      if (!answer || at != changes_) return;
      std::string status = text_of(*answer, "status");
      if (status == "running") return tell_pause({});
      if (status == "io-error") return look_for_the_disk();
      // QEMU is just starting or ending: its guest was not stopped.
      if (status == "prelaunch" || status == "inmigrate" || status == "shutdown" || is_loading_)
        return;
      if (status == "paused" || status == "finish-migrate" || status == "postmigrate")
        return tell_pause(Pause{.asked = true});
      tell_pause(Pause{"", false, "QEMU says '" + escape_for_terminal(status) + "'"});
    });
  }

  void look_for_the_disk() {
    qmp_.execute("query-block", Json::object(), patience, [this, at = changes_](auto answer) {
      if (!answer || at != changes_) return;
      Pause pause{"", false, fault_};
      for (const Json& disk : *answer) {
        std::string status = text_of(disk, "io-status");
        if (status.empty() || status == "ok" || !disk.contains("inserted")) continue;
        pause.disk = text_of(disk["inserted"], "file");
        pause.is_full = status == "nospace";
        break;
      }
      tell_pause(std::move(pause));
    });
  }

  // Forwards and registers have no QMP command: the human monitor is asked, which prints text.
  void ask_person(const std::string& text,
                  std::function<void(std::expected<std::string, Error>)> done) {
    qmp_.execute("human-monitor-command", {{"command-line", text}}, patience,
                 [done = std::move(done)](auto answer) {
                   if (!answer) return done(std::unexpected(std::move(answer).error()));
                   std::string said =
                       answer->is_string() ? answer->template get<std::string>() : "";
                   done(escape_for_terminal(trim(said)));
                 });
  }

  sys::Loop& loop_;
  Told told_;
  Done moved_;                   // of a transfer that is under way
  bool is_loading_ = false;      // until its guest goes on from the memory that was saved
  int changes_ = 0;              // of whether the guest runs
  std::string fault_;            // of a disk, the last
  std::set<std::string> faults_; // that were told
  sys::Loop::Timer soon_ = 0;
  Qmp qmp_; // it calls what stands before it
  Balloon balloon_{loop_, qmp_};
};

class Qemu : public Driver {
public:
  explicit Qemu(std::string binary) : binary_(std::move(binary)) {}

  Abilities abilities() const override { return {.user_net = true, .emulates = true}; }

  SerialLine serial_line() const override { return {SerialLine::Kind::own_file, console_socket}; }
  std::string api_socket() const override { return qmp_socket; }

  Launch launch(const Machine& m) const override {
    if (m.vsock) throw failed("the VMM 'qemu' makes no vsock").subject(m.name);
    Launch l;
    sys::Command& c = l.command;
    l.handed = {qmp_socket, console_socket};
    l.serial = serial_line();
    l.memory = m.memory;
    l.links = m.disks;
    l.links.push_back({kernel_file, true, m.kernel});
    l.links.push_back({console_file, false, m.console});
    if (m.accel == Accel::kvm) l.reaches.push_back({"/dev/kvm", sys::Use::device});
    if (std::holds_alternative<TapNet>(m.net))
      l.reaches.push_back({"/dev/net/tun", sys::Use::device});
    l.tcp = std::holds_alternative<UserNet>(m.net);
    // libslirp reads there whom it asks for names.
    if (l.tcp) l.reaches.push_back({"/etc/resolv.conf", sys::Use::read});
    auto add = [&](std::initializer_list<std::string> words) {
      c.argv.insert(c.argv.end(), words);
    };
    add({binary_, "-name", escaped(m.name), "-nodefaults", "-no-user-config", "-display", "none"});
    // No PCI, no BIOS: firmware time is boot time. Debian's kernel finds virtio-mmio through ACPI.
    add({"-M", "microvm,acpi=on,pit=on,pic=on,rtc=on"});
    // QEMU's own smallest firmware. SeaBIOS, which some builds take instead, writes the ACPI tables
    // to the end of memory, where QEMU has put the end of the initrd: whether a guest then boots
    // hangs on the initrd's size.
    add({"-bios", "qboot.rom"});
    if (m.accel == Accel::kvm)
      add({"-accel", "kvm", "-cpu", "host"});
    else
      // The buffer of translated code is memory of every VM; 128 MiB is enough for a kernel and its
      // userland. Five-level paging costs a third of the speed under emulation. The "fast" string
      // instructions, with which kernel and libc fill and copy pages once they are told of them,
      // cost a sixth of a boot: QEMU does those byte by byte, and the others by words.
      add({"-accel", "tcg,thread=multi,tb-size=128", "-cpu", "max,la57=off,erms=off,fsrm=off"});
    add({"-m", fmt::format("{}M", m.memory >> 20), "-smp", fmt::format("{}", m.cpus)});
    // A triple fault is seen without any device.
    add({"-kernel", kernel_file, "-initrd", initrd_file, "-append", m.command_line + " reboot=t"});
    // A reset of the guest ends QEMU: the monitor decides whether it is started again.
    add({"-no-reboot"});
    if (!m.saved.empty()) add({"-incoming", "defer"});
    // The keyboard is only there for Ctrl-Alt-Del.
    add({"-device", "i8042"});
    add({"-chardev", "socket,id=q0,fd=3,server=on,wait=off", "-mon", "chardev=q0,mode=control"});
    add({"-chardev",
         fmt::format("socket,id=c0,fd=4,server=on,wait=off,logfile={},logappend=on", console_file),
         "-serial", "chardev:c0"});
    for (const Disk& d : m.disks) {
      // A write that fails stops the guest, whatever the cause (no room, a quota, a disk that is
      // gone for a while), and is made when it goes on: the guest would take an error for a broken
      // disk and give up what it wrote. A read that fails loses nothing, and is the guest's to
      // meet.
      add({"-drive",
           fmt::format("id={},if=none,file={},format=raw,discard=unmap,read-only={},werror=stop,"
                       "rerror=report{}",
                       d.file, escaped(d.file), d.read_only ? "on" : "off",
                       throttle_option(d.limit)),
           "-device", fmt::format("virtio-blk-device,drive={}", d.file)});
    }
    if (std::string net = std::visit([](const auto& n) { return netdev(n); }, m.net);
        !net.empty()) {
      std::string device = fmt::format("virtio-net-device,netdev=n0,mac={}", m.mac);
      if (auto* tap = std::get_if<TapNet>(&m.net); tap && tap->mtu)
        device += fmt::format(",host_mtu={}", tap->mtu);
      add({"-netdev", net, "-device", device});
    }
    // The guest's seed of randomness; without it a first boot may wait for entropy.
    add({"-device", "virtio-rng-device"});
    // Through it the guest tells what memory it has. It takes nothing from the guest.
    add({"-device", fmt::format("virtio-balloon-device,id={}", balloon_id)});
    add({"-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"});
    add({"-msg", "timestamp=on"});
    return l;
  }

  std::unique_ptr<Running> attach(sys::Loop& loop, const std::string& runtime_dir,
                                  Told told) const override {
    Fd fd;
    try {
      fd = sys::connect_unix(runtime_dir + "/" + qmp_socket, Millis(100));
    } catch (const Error& e) {
      if (e.code() != Code::unreachable) throw;
    }
    return std::make_unique<RunningQemu>(loop, std::move(fd), std::move(told));
  }

private:
  std::string binary_;
};

} // namespace

bool all_halted(std::string_view registers) {
  constexpr std::string_view flags_name = "FL=", wait_name = "HLT=";
  constexpr unsigned interrupts = 0x200; // IF of RFLAGS
  bool any = false;
  size_t at = 0;
  while ((at = registers.find(flags_name, at)) != registers.npos) {
    at += flags_name.size();
    unsigned flags = 0;
    std::from_chars(registers.data() + at, registers.data() + registers.size(), flags, 16);
    size_t wait = registers.find(wait_name, at);
    if (wait == registers.npos || (flags & interrupts) ||
        !registers.substr(wait + wait_name.size()).starts_with('1'))
      return false;
    any = true;
  }
  return any;
}

std::unique_ptr<Driver> make_qemu(std::string binary) {
  return std::make_unique<Qemu>(std::move(binary));
}

} // namespace banger::vmm
