#include <charconv>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/failpoint.h"
#include "core/text.h"
#include "sys/socket.h"
#include "vmm/driver.h"

namespace banger::vmm {

namespace {

using Json = nlohmann::json;

constexpr Millis answer_patience{5'000};

// A comma ends a value in QEMU's options; two stand for one.
std::string escaped(const std::string& value) {
  std::string out;
  for (char c : value) out += c == ',' ? std::string(",,") : std::string(1, c);
  return out;
}

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

// QMP, QEMU's control protocol: JSON lines; a greeting, then commands and events. See QEMU's
// docs/interop/qmp-spec.txt.
class Qmp : public Control {
public:
  explicit Qmp(Fd fd) : fd_(std::move(fd)), lines_(fd_.get()) {
    send({{"execute", "qmp_capabilities"}});
  }

  int fd() const override { return lines_.ended() ? -1 : fd_.get(); }

  std::vector<VmmEvent> read_events() override {
    lines_.fill();
    while (auto line = lines_.buffered()) take(Json::parse(*line, nullptr, false));
    return std::exchange(events_, {});
  }

  std::string version() const override { return version_; }

  void ask_to_stop() override {
    Json keys = Json::array();
    for (const char* key : {"ctrl", "alt", "delete"})
      keys.push_back({{"type", "qcode"}, {"data", key}});
    send({{"execute", "send-key"}, {"arguments", {{"keys", keys}}}});
  }

  bool is_halted() override { return all_halted(monitor_command("info registers -a")); }

  void add_forward(const Port& p, const std::string& guest) override {
    failpoint(Point::forward);
    std::string said = monitor_command(fmt::format("hostfwd_add n0 {}:{}:{}-{}:{}", p.proto,
                                                   p.host_address, p.host, guest, p.guest));
    if (!said.empty()) throw conflict("QEMU refuses it: {}", said);
  }

  void remove_forward(const Port& p) override {
    failpoint(Point::forward);
    // It says "removed" or "not found"; both mean that it is absent.
    monitor_command(fmt::format("hostfwd_remove n0 {}:{}:{}", p.proto, p.host_address, p.host));
  }

private:
  void take(const Json& message) {
    if (!message.is_object()) return;
    if (message.contains("QMP")) read_version(message);
    if (message.value("event", "") != "SHUTDOWN") return;
    // QEMU's ShutdownCause; under -no-reboot a reset arrives as a shutdown too.
    std::string reason = message.value("/data/reason"_json_pointer, "");
    if (reason == "guest-reset" || reason == "guest-panic")
      events_.push_back(VmmEvent::guest_reset);
    else if (reason == "guest-shutdown")
      events_.push_back(VmmEvent::guest_shutdown);
    else
      events_.push_back(VmmEvent::host_quit);
  }

  // Forwards have no QMP command of their own. What the human monitor printed; events that come
  // meanwhile are kept for read_events.
  std::string monitor_command(const std::string& text) {
    std::string id = fmt::format("banger-{}", ++asked_);
    send({{"execute", "human-monitor-command"},
          {"id", id},
          {"arguments", {{"command-line", text}}}});
    Deadline deadline(answer_patience);
    while (auto line = lines_.next(Millis(deadline.poll_ms()))) {
      Json message = Json::parse(*line, nullptr, false);
      if (!message.is_object() || message.value("id", "") != id) {
        take(message);
        continue;
      }
      if (message.contains("error"))
        throw failed("QEMU refuses it: {}",
                     escape_for_terminal(message.value("/error/desc"_json_pointer, "")));
      return escape_for_terminal(trim(message.value("return", "")));
    }
    throw Error(Code::unreachable, "QEMU does not answer");
  }

  void send(const Json& command) { sys::send_all(fd_.get(), command.dump() + "\n"); }

  void read_version(const Json& greeting) {
    Json v = greeting.value("/QMP/version/qemu"_json_pointer, Json::object());
    version_ =
        fmt::format("{}.{}.{}", v.value("major", 0), v.value("minor", 0), v.value("micro", 0));
  }

  Fd fd_;
  sys::LineReader lines_;
  std::string version_;
  std::vector<VmmEvent> events_;
  int asked_ = 0;
};

class Qemu : public Driver {
public:
  explicit Qemu(std::string binary) : binary_(std::move(binary)) {}

  Launch launch(const Machine& m) const override {
    Launch l;
    sys::Command& c = l.command;
    l.listeners = {qmp_socket, console_socket};
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
      // Five-level paging costs a third of the speed under emulation. The buffer of translated
      // code is memory of every VM; 128 MiB is enough for a kernel and its userland.
      add({"-accel", "tcg,thread=multi,tb-size=128", "-cpu", "max,la57=off"});
    add({"-m", fmt::format("{}M", m.memory >> 20), "-smp", fmt::format("{}", m.cpus)});
    add({"-kernel", kernel_file, "-initrd", initrd_file, "-append", m.command_line});
    // A reset of the guest ends QEMU: the monitor decides whether it is started again.
    add({"-no-reboot"});
    // The keyboard is only there for Ctrl-Alt-Del.
    add({"-device", "i8042"});
    add({"-chardev", "socket,id=q0,fd=3,server=on,wait=off", "-mon", "chardev=q0,mode=control"});
    add({"-chardev",
         fmt::format("socket,id=c0,fd=4,server=on,wait=off,logfile={},logappend=on", console_file),
         "-serial", "chardev:c0"});
    for (size_t i = 0; i < m.disks.size(); i++) {
      const Disk& d = m.disks[i];
      add({"-drive",
           fmt::format("id=d{},if=none,file={},format=raw,discard=unmap,read-only={}", i,
                       escaped(d.file), d.read_only ? "on" : "off"),
           "-device", fmt::format("virtio-blk-device,drive=d{}", i)});
    }
    if (m.user_net || m.tap_net)
      add({"-netdev", m.user_net ? netdev(*m.user_net) : netdev(*m.tap_net), "-device",
           fmt::format("virtio-net-device,netdev=n0,mac={}", m.mac)});
    // The guest's seed of randomness; without it a first boot may wait for entropy.
    add({"-device", "virtio-rng-device"});
    add({"-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"});
    add({"-msg", "timestamp=on"});
    return l;
  }

  std::unique_ptr<Control> connect(const std::string& runtime_dir) const override {
    try {
      return std::make_unique<Qmp>(sys::connect_unix(runtime_dir + "/" + qmp_socket));
    } catch (const Error& e) {
      if (e.code() == Code::unreachable) return nullptr;
      throw;
    }
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
