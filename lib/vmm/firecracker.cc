#include "vmm/firecracker.h"

#include <nlohmann/json.hpp>

#include "core/text.h"
#include "vmm/http.h"

namespace banger::vmm {

namespace {

using Json = nlohmann::ordered_json;

constexpr const char* api_file = "api.sock";
constexpr const char* typed_file = "console.in";
// The first answer comes when the socket is there; a machine is made in milliseconds.
constexpr Millis patience{10'000};

// What it complains of.
std::string fault_of(const HttpAnswer& answer) {
  Json j = Json::parse(answer.body, nullptr, false);
  std::string text = j.is_object() ? j.value("fault_message", "") : "";
  return text.empty() ? fmt::format("status {}", answer.status) : escape_for_terminal(text);
}

class RunningFirecracker : public Running {
  using Requests = std::vector<ApiRequest>;

public:
  RunningFirecracker(sys::Loop& loop, const std::string& socket) : http_(loop, socket) {}

  void boot(const Machine& machine, Done done) override {
    http_.request("GET", "/version", {}, patience,
                  [this, requests = std::make_shared<const Requests>(boot_requests(machine)),
                   done = std::move(done)](auto answer) {
                    if (!answer) return done(std::move(answer).error());
                    Json j = Json::parse(answer->body, nullptr, false);
                    if (j.is_object()) version_ = j.value("firecracker_version", "");
                    put(requests, 0, done);
                  });
  }

  void knock(Done done) override {
    Requests one{{"/actions", R"({"action_type":"SendCtrlAltDel"})"}};
    put(std::make_shared<const Requests>(std::move(one)), 0, std::move(done));
  }

  // It cannot be asked: the console's word must do.
  void look_whether_halted(std::function<void(bool)> done) override {
    http_.request("GET", "/", {}, patience, [done = std::move(done)](auto) { done(true); });
  }

  // It stops no guest by itself.
  void resume(Done done) override {
    http_.request("PATCH", "/vm", R"({"state":"Resumed"})", patience,
                  [done = std::move(done)](auto answer) {
                    if (!answer) return done(std::move(answer).error());
                    if (answer->status >= 300)
                      return done(failed("the VMM refuses /vm: {}", fault_of(*answer)));
                    done({});
                  });
  }

  std::string version() const override { return version_; }

private:
  // Those from `next` on; none after one that is refused.
  void put(const std::shared_ptr<const Requests>& requests, size_t next, const Done& done) {
    if (next == requests->size()) return done({});
    const ApiRequest& r = (*requests)[next];
    http_.request("PUT", r.path, r.body, patience, [this, requests, next, done](auto answer) {
      if (!answer) return done(std::move(answer).error());
      if (answer->status >= 300)
        return done(failed("the VMM refuses {}: {}", (*requests)[next].path, fault_of(*answer)));
      put(requests, next + 1, done);
    });
  }

  Http http_;
  std::string version_;
};

class Firecracker : public Driver {
public:
  explicit Firecracker(std::string binary) : binary_(std::move(binary)) {}

  Abilities abilities() const override { return {}; }
  SerialLine serial_line() const override { return {SerialLine::Kind::stdio, typed_file}; }
  std::string api_socket() const override { return api_file; }

  Launch launch(const Machine& machine) const override {
    if (std::holds_alternative<UserNet>(machine.net))
      throw preflight("the VMM 'firecracker' has no network of its own for a VM that is isolated")
          .subject(machine.name);
    Launch l;
    l.command.argv = {binary_, "--api-sock", api_file, "--id", "vm"};
    l.made = {api_file};
    l.serial = serial_line();
    return l;
  }

  std::unique_ptr<Running> attach(sys::Loop& loop, const std::string& runtime_dir,
                                  Told) const override {
    return std::make_unique<RunningFirecracker>(loop, runtime_dir + "/" + api_file);
  }

private:
  std::string binary_;
};

} // namespace

std::vector<ApiRequest> boot_requests(const Machine& m) {
  std::vector<ApiRequest> all;
  auto put = [&](std::string path, const Json& body) {
    all.push_back({std::move(path), body.dump(-1, ' ', false, Json::error_handler_t::replace)});
  };
  put("/machine-config", {{"vcpu_count", m.cpus}, {"mem_size_mib", m.memory >> 20}});
  put("/boot-source", {{"kernel_image_path", kernel_file},
                       {"initrd_path", initrd_file},
                       {"boot_args", m.command_line}});
  for (size_t i = 0; i < m.disks.size(); i++) {
    std::string id = fmt::format("d{}", i);
    put("/drives/" + id, {{"drive_id", id},
                          {"path_on_host", m.disks[i].file},
                          {"is_root_device", false},
                          {"is_read_only", m.disks[i].read_only}});
  }
  if (const auto* tap = std::get_if<TapNet>(&m.net))
    put("/network-interfaces/n0",
        {{"iface_id", "n0"}, {"guest_mac", m.mac}, {"host_dev_name", tap->name}});
  // The guest's seed of randomness; without it a first boot may wait for entropy.
  put("/entropy", Json::object());
  put("/actions", {{"action_type", "InstanceStart"}});
  return all;
}

std::unique_ptr<Driver> make_firecracker(std::string binary) {
  return std::make_unique<Firecracker>(std::move(binary));
}

} // namespace banger::vmm
