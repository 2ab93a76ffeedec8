#include "vmm/firecracker.h"

#include <fcntl.h>

#include <nlohmann/json.hpp>

#include "core/text.h"
#include "sys/file.h"
#include "sys/lines.h"
#include "sys/own_file.h"
#include "sys/wait.h"
#include "vmm/http.h"

namespace banger::vmm {

namespace {

using Json = nlohmann::ordered_json;

constexpr const char* api_file = "api.sock";
constexpr const char* typed_file = "console.in";
constexpr const char* log_file = "log";
constexpr const char* metrics_file = "metrics";
constexpr const char* network_id = "n0";
// The first answer comes when the socket is there; a machine is made in milliseconds.
constexpr Millis patience{10'000};
// A guest's memory is written or read before the answer comes: 16 GiB to a slow disk.
constexpr Millis time_to_move{600'000};
constexpr Millis next_try{1'000};
constexpr size_t longest_line = 64 << 10;
// Firecracker has no other way to ask; a guest is woken that seldom for it.
constexpr int seconds_between_stats = 5;
constexpr int most_reads = 8; // a VMM that floods its log does not hold up the loop

// A member of an answer; empty where that is no text.
std::string text_of(const HttpAnswer& answer, const char* key) {
  Json j = Json::parse(answer.body, nullptr, false);
  auto it = j.is_object() ? j.find(key) : j.end();
  return it != j.end() && it->is_string() ? it->get<std::string>() : "";
}

// The fault that an answer tells.
std::string fault_of(const HttpAnswer& answer) {
  std::string text = text_of(answer, "fault_message");
  return text.empty() ? fmt::format("status {}", answer.status) : escape_for_terminal(text);
}

// The last that the guest has told; none before its first word, or without its balloon.
std::optional<GuestMemory> parse_balloon_statistics(const HttpAnswer& answer) {
  Json j = Json::parse(answer.body, nullptr, false);
  GuestMemory m;
  for (auto [key, value] : {std::pair("total_memory", &m.total),
                            {"free_memory", &m.free},
                            {"available_memory", &m.available}}) {
    auto it = j.is_object() ? j.find(key) : j.end();
    if (it == j.end() || !it->is_number_integer()) return {};
    *value = it->get<int64_t>();
  }
  return answer.status == 200 ? std::optional(m) : std::nullopt;
}

// A bucket with a second's worth, which is full at first.
Json bucket(int64_t rate) { return {{"size", rate}, {"refill_time", rate ? 1000 : 0}}; }

// Without room a bucket limits nothing, and replaces one that did.
Json limiter(const RateLimit& limit) {
  return {{"bandwidth", bucket(limit.bandwidth)}, {"ops", bucket(limit.ops)}};
}

// A build before had it beside the other names.
std::string api_socket_in(const std::string& runtime_dir) {
  std::string made = fmt::format("{}/{}", runtime_dir, made_dir);
  auto info = sys::find_link_info(made);
  return fmt::format("{}/{}", info && info->is_dir ? made : runtime_dir, api_file);
}

class RunningFirecracker : public Running {
  using Requests = std::vector<ApiRequest>;

public:
  RunningFirecracker(sys::Loop& loop, const std::string& runtime_dir, Told told)
      : loop_(loop), told_(std::move(told)), http_(loop, api_socket_in(runtime_dir)) {
    auto open = [&](const char* fifo, Fd& fd, std::optional<sys::LineReader>& lines) {
      auto found = sys::find_own(runtime_dir + "/" + fifo, sys::OwnKind::fifo, O_RDWR | O_NONBLOCK);
      if (!found) return false; // one of an earlier build
      fd = std::move(*found);
      lines.emplace(fd.get(), longest_line);
      return true;
    };
    if (open(log_file, log_, lines_)) loop_.watch(log_.get(), [this] { read_rest(); });
    // Firecracker writes them once a minute, and drops what finds no room: they are always read.
    if (open(metrics_file, metrics_, counted_))
      loop_.watch(metrics_.get(), [this] { read_metrics(); });
  }
  ~RunningFirecracker() override {
    if (log_) loop_.forget(log_.get());
    if (metrics_) loop_.forget(metrics_.get());
    loop_.cancel(again_);
    loop_.cancel(soon_);
  }

  void boot(const Machine& machine, Done done) override {
    http_.request(
        "GET", "/version", {}, patience, [this, machine, done = std::move(done)](auto answer) {
          if (!answer) return done(std::move(answer).error());
          auto version = find_firecracker_version(text_of(*answer, "firecracker_version"));
          if (version) version_ = to_text(*version);
          if (!machine.saved.empty()) return load(machine, version.value_or(oldest_usable), done);
          Requests all = boot_requests(machine, version.value_or(oldest_usable));
          make(std::move(all), done);
        });
  }

  void knock(Done done) override {
    Requests one{{"/actions", R"({"action_type":"SendCtrlAltDel"})"}};
    make(std::move(one), done);
  }

  // Firecracker does not tell whether its guest is halted: the console's word counts.
  void look_whether_halted(std::function<void(bool)> done) override {
    http_.request("GET", "/", {}, time(), [done = std::move(done)](auto) { done(true); });
  }

  void look_at_memory(MemoryDone done) override {
    http_.request("GET", "/balloon/statistics", {}, time(), [done = std::move(done)](auto answer) {
      if (!answer) return done(std::unexpected(std::move(answer).error()));
      auto memory = parse_balloon_statistics(*answer);
      if (!memory)
        return done(std::unexpected(
            Error(Code::unreachable, "the guest does not tell what memory it has")));
      done(*memory);
    });
  }

  void look_at_counters(CountersDone done) override {
    if (!metrics_) {
      soon_ = loop_.after(Millis(0), [done = std::move(done)] {
        done(std::unexpected(Error(Code::unreachable, "it was not told to count")));
      });
      return;
    }
    ask("PUT", "/actions", R"({"action_type":"FlushMetrics"})",
        [this, done = std::move(done)](std::optional<Error> fault) {
          if (fault) return done(std::unexpected(std::move(*fault)));
          read_metrics();
          done(counters_);
        });
  }

  // Firecracker stops no guest by itself: a pause was asked for. One that is still saving its guest
  // for an earlier monitor answers when it has done that.
  void take_up() override {
    http_.request("GET", "/", {}, time(), [this](auto answer) {
      if (!answer) {
        again_ = loop_.after(next_try, [this] { take_up(); });
        return;
      }
      std::string state = text_of(*answer, "state");
      if (state == "Running") tell_pause({});
      if (state == "Paused") tell_pause(Pause{.asked = true});
    });
  }
  void pause(Done done) override { change("Paused", Pause{.asked = true}, std::move(done)); }
  void resume(Done done) override { change("Resumed", {}, std::move(done)); }

  void limit(const std::vector<Disk>& disks, const std::optional<RateLimit>& net,
             Done done) override {
    make(limit_requests(disks, net), done);
  }

  void save(const std::string&, Done done) override {
    transfer(save_request(), std::move(done)); // by the link, which it may open itself
  }

  void read_rest() override {
    if (!lines_) return;
    std::weak_ptr<bool> alive = alive_;
    try {
      for (int i = 0; i < most_reads && sys::wait_readable(log_.get(), Millis(0)); i++)
        lines_->fill();
      while (auto line = lines_->buffered()) {
        if (told_.said) told_.said(escape_for_terminal(*line));
        if (alive.expired()) return;
      }
    } catch (const Error&) { // a line that is too long is dropped
      lines_.emplace(log_.get(), longest_line);
    }
  }

  std::string version() const override { return version_; }

private:
  void tell_pause(std::optional<Pause> pause) {
    if (told_.pause) told_.pause(std::move(pause));
  }

  void read_metrics() {
    try {
      for (int i = 0; i < most_reads && sys::wait_readable(metrics_.get(), Millis(0)); i++)
        counted_->fill();
      while (auto line = counted_->buffered()) add_metrics(*line, counters_);
    } catch (const Error&) { // a line that is too long is dropped
      counted_.emplace(metrics_.get(), longest_line);
    }
  }

  // A snapshot does not have where the metrics go; the limits that it has are those of its time.
  void load(const Machine& machine, const FirecrackerVersion& version, const Done& done) {
    auto unless = [done](auto next) {
      return [done, next](const std::optional<Error>& fault) { fault ? done(fault) : next(); };
    };
    std::optional<RateLimit> net;
    if (std::holds_alternative<TapNet>(machine.net)) net = machine.net_limit;
    auto go_on = [this, done] { change("Resumed", {}, done); };
    auto limit = [this, unless, go_on, requests = limit_requests(machine.disks, net)] {
      make(requests, unless(go_on));
    };
    make({metrics_request()}, unless([this, unless, limit, load = load_request(machine, version)] {
           transfer(load, unless(limit));
         }));
  }

  // Of the guest's memory.
  void transfer(const ApiRequest& r, Done done) {
    is_moving_ = true;
    ask("PUT", r.path, r.body, [this, done = std::move(done)](const std::optional<Error>& fault) {
      is_moving_ = false;
      done(fault);
    });
  }

  // Who asks while memory is moved waits for the end of that; else the connection would be given
  // up, and a guest that is to go on would not.
  Millis time() const { return is_moving_ ? time_to_move : patience; }

  // A refusal becomes an Error(failed) that names the request.
  void ask(const std::string& method, const std::string& path, const std::string& body, Done done) {
    http_.request(method, path, body, time(), [method, path, done = std::move(done)](auto answer) {
      if (!answer) return done(std::move(answer).error());
      if (answer->status >= 300)
        return done(failed("the VMM refuses {} {}: {}", method, path, fault_of(*answer)));
      done({});
    });
  }

  void change(const std::string& state, std::optional<Pause> becomes, Done done) {
    ask("PATCH", "/vm", Json{{"state", state}}.dump(),
        [this, becomes = std::move(becomes),
         done = std::move(done)](const std::optional<Error>& fault) {
          std::weak_ptr<bool> alive = alive_;
          done(fault);
          if (!fault && !alive.expired()) tell_pause(becomes);
        });
  }

  // Makes the requests in their order, up to one that is refused.
  void make(Requests requests, const Done& done) {
    make_from(std::make_shared<const Requests>(std::move(requests)), 0, done);
  }
  void make_from(const std::shared_ptr<const Requests>& requests, size_t next, const Done& done) {
    if (next == requests->size()) return done({});
    const ApiRequest& r = (*requests)[next];
    ask(r.method, r.path, r.body, [this, requests, next, done](const std::optional<Error>& fault) {
      if (fault) return done(fault);
      make_from(requests, next + 1, done);
    });
  }

  sys::Loop& loop_;
  Told told_;
  Fd log_;
  std::optional<sys::LineReader> lines_; // of log_
  Fd metrics_;
  std::optional<sys::LineReader> counted_; // of metrics_
  Counters counters_;
  Http http_;
  std::string version_;
  bool is_moving_ = false; // the guest's memory
  sys::Loop::Timer again_ = 0, soon_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true); // callbacks may destroy this
};

class Firecracker : public Driver {
public:
  explicit Firecracker(std::string binary) : binary_(std::move(binary)) {}

  Abilities abilities() const override {
    return {.devices_apart = true, .limits_net = true, .most_cpus = 32};
  }
  SerialLine serial_line() const override { return {SerialLine::Kind::stdio, typed_file}; }
  std::string api_socket() const override { return api_file; }

  Launch launch(const Machine& machine) const override {
    if (std::holds_alternative<UserNet>(machine.net))
      throw preflight("the VMM 'firecracker' has no network of its own for a VM that is isolated")
          .subject(machine.name);
    Launch l;
    l.memory = machine.memory;
    // Without a log of its own it writes that to its standard output, into the guest's console. A
    // request for it would come too late for what it says before its socket is there.
    std::string socket = fmt::format("{}/{}", made_dir, api_file);
    l.command.argv = {binary_,       "--api-sock", socket,
                      "--id",        "vm",         "--log-path",
                      log_file,      "--level",    machine.verbose ? "Debug" : "Info",
                      "--show-level"};
    l.made = {api_file};
    if (machine.vsock) l.made.emplace_back(vsock_file);
    l.serial = serial_line();
    l.log = log_file;
    l.metrics = metrics_file;
    l.links = machine.disks;
    l.links.push_back({kernel_file, true, machine.kernel});
    l.console = machine.console;
    l.saves_itself = true;
    if (!machine.saved.empty()) l.links.push_back({saved_dir, true, machine.saved});
    for (const char* device : {"/dev/kvm", "/dev/net/tun"})
      l.reaches.push_back({device, sys::Use::device});
    return l;
  }

  std::unique_ptr<Running> attach(sys::Loop& loop, const std::string& runtime_dir,
                                  Told told) const override {
    return std::make_unique<RunningFirecracker>(loop, runtime_dir, std::move(told));
  }

private:
  std::string binary_;
};

} // namespace

std::vector<ApiRequest> boot_requests(const Machine& m, const FirecrackerVersion& version) {
  std::vector<ApiRequest> all;
  auto put = [&](std::string path, const Json& body) {
    all.push_back({std::move(path), body.dump(-1, ' ', false, Json::error_handler_t::replace)});
  };
  all.push_back(metrics_request());
  put("/machine-config", {{"vcpu_count", m.cpus}, {"mem_size_mib", m.memory >> 20}});
  // A reboot by the keyboard controller ends Firecracker well; after a triple fault its status is 1
  // now and then.
  put("/boot-source", {{"kernel_image_path", kernel_file},
                       {"initrd_path", initrd_file},
                       {"boot_args", m.command_line + " reboot=k"}});
  for (const Disk& disk : m.disks) {
    const std::string& id = disk.file; // it tells by this what it has counted
    // With Writeback a guest's flush reaches the host's disk; Firecracker's default offers none.
    Json drive = {{"drive_id", id},
                  {"path_on_host", disk.file},
                  {"is_root_device", false},
                  {"is_read_only", disk.read_only},
                  {"cache_type", disk.read_only ? "Unsafe" : "Writeback"}};
    if (disk.limit) drive["rate_limiter"] = limiter(disk.limit);
    put("/drives/" + id, drive);
  }
  if (const auto* tap = std::get_if<TapNet>(&m.net)) {
    Json net = {{"iface_id", network_id}, {"guest_mac", m.mac}, {"host_dev_name", tap->name}};
    if (tap->mtu && tells_mtu(version)) net["mtu"] = tap->mtu;
    if (m.net_limit)
      for (const char* direction : {"rx_rate_limiter", "tx_rate_limiter"})
        net[direction] = limiter(m.net_limit);
    put(fmt::format("/network-interfaces/{}", network_id), net);
  }
  if (m.vsock && !vsock_fault(version, m.vsock->kernel, VsockUse::booted))
    put("/vsock",
        {{"guest_cid", m.vsock->cid}, {"uds_path", fmt::format("{}/{}", made_dir, vsock_file)}});
  // The guest's seed of randomness; without it a first boot may wait for entropy.
  put("/entropy", Json::object());
  // Through it the guest tells what memory it has. It takes nothing from the guest.
  put("/balloon", {{"amount_mib", 0},
                   {"deflate_on_oom", true},
                   {"stats_polling_interval_s", seconds_between_stats}});
  put("/actions", {{"action_type", "InstanceStart"}});
  return all;
}

std::vector<ApiRequest> limit_requests(const std::vector<Disk>& disks,
                                       const std::optional<RateLimit>& net) {
  std::vector<ApiRequest> all;
  for (const Disk& disk : disks)
    all.push_back({"/drives/" + disk.file,
                   Json{{"drive_id", disk.file}, {"rate_limiter", limiter(disk.limit)}}.dump(),
                   "PATCH"});
  if (net)
    all.push_back({fmt::format("/network-interfaces/{}", network_id),
                   Json{{"iface_id", network_id},
                        {"rx_rate_limiter", limiter(*net)},
                        {"tx_rate_limiter", limiter(*net)}}
                       .dump(),
                   "PATCH"});
  return all;
}

ApiRequest metrics_request() { return {"/metrics", Json{{"metrics_path", metrics_file}}.dump()}; }

ApiRequest save_request() {
  Json body = {
      {"snapshot_type", "Full"}, {"snapshot_path", saved_devices}, {"mem_file_path", saved_memory}};
  return {"/snapshot/create", body.dump()};
}

ApiRequest load_request(const Machine& m, const FirecrackerVersion& version) {
  Json body = {{"snapshot_path", saved_devices},
               {"mem_backend", {{"backend_type", "File"}, {"backend_path", saved_memory}}},
               {"resume_vm", false}};
  // The tap that the guest had may be another's now.
  const auto* tap = std::get_if<TapNet>(&m.net);
  if (tap && renames_taps(version))
    body["network_overrides"] =
        Json::array({{{"iface_id", network_id}, {"host_dev_name", tap->name}}});
  return {"/snapshot/load", body.dump()};
}

std::unique_ptr<Driver> make_firecracker(std::string binary) {
  return std::make_unique<Firecracker>(std::move(binary));
}

} // namespace banger::vmm
