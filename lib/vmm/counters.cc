#include "vmm/counters.h"

#include <algorithm>
#include <limits>

#include <nlohmann/json.hpp>

namespace banger::vmm {

namespace {

using Json = nlohmann::ordered_json;

// "block" and "net" are sums of those behind them: "block_root", "net_n0".
constexpr std::string_view of_disk = "block_", of_net = "net_", of_cpus = "vcpu";
constexpr size_t most_disks = 64, longest_name = 64;

// A VMM is not trusted: its numbers may be anything.
void add(int64_t& sum, uint64_t n) {
  constexpr uint64_t most = std::numeric_limits<int64_t>::max();
  sum = static_cast<int64_t>(std::min(most, static_cast<uint64_t>(sum) + std::min(n, most)));
}

DiskCounters* disk_called(Counters& c, std::string_view name) {
  auto it = std::ranges::find(c.disks, name, &DiskCounters::name);
  if (it != c.disks.end()) return &*it;
  if (c.disks.size() >= most_disks || name.size() > longest_name) return nullptr;
  return &c.disks.emplace_back(DiskCounters{.name = std::string(name)});
}

void add_to_disk(DiskCounters& d, std::string_view key, uint64_t n) {
  if (key == "read_bytes") add(d.read, n);
  if (key == "write_bytes") add(d.written, n);
  if (key == "read_count") add(d.reads, n);
  if (key == "write_count") add(d.writes, n);
  if (key == "flush_count") add(d.flushes, n);
  if (key == "execute_fails" || key == "invalid_reqs_count") add(d.errors, n);
}

void add_to_net(NetCounters& net, std::string_view key, uint64_t n) {
  if (key == "rx_bytes_count") add(net.received, n);
  if (key == "tx_bytes_count") add(net.sent, n);
  if (key == "rx_fails" || key == "tx_fails" || key == "tx_malformed_frames" ||
      key == "tap_read_fails" || key == "tap_write_fails")
    add(net.errors, n);
}

// Numbers at the second level of an object of objects; what lies deeper are their sums and
// extremes.
class Reader : public nlohmann::json_sax<Json> {
public:
  explicit Reader(Counters& counters) : counters_(counters) {}

  bool number_unsigned(uint64_t n) override {
    if (depth_ == 2) take(n);
    return true;
  }
  bool number_integer(int64_t) override { return true; } // below zero: none that counts
  bool start_object(size_t) override {
    depth_++;
    return true;
  }
  bool end_object() override {
    depth_--;
    return true;
  }
  bool key(std::string& name) override {
    if (depth_ == 1) group_ = name;
    if (depth_ == 2) key_ = name;
    return true;
  }
  // An array is none of Firecracker's.
  bool start_array(size_t) override { return false; }
  bool end_array() override { return false; }
  bool null() override { return depth_ > 0; }
  bool boolean(bool) override { return depth_ > 0; }
  bool number_float(double, const std::string&) override { return depth_ > 0; }
  bool string(std::string&) override { return depth_ > 0; }
  bool binary(Json::binary_t&) override { return false; }
  bool parse_error(size_t, const std::string&, const nlohmann::detail::exception&) override {
    return false;
  }

private:
  void take(uint64_t n) {
    std::string_view group = group_;
    if (group.starts_with(of_disk)) {
      if (DiskCounters* disk = disk_called(counters_, group.substr(of_disk.size())))
        add_to_disk(*disk, key_, n);
    } else if (group.starts_with(of_net)) {
      if (!counters_.net) counters_.net.emplace();
      add_to_net(*counters_.net, key_, n);
    } else if (group == of_cpus && key_.starts_with("exit_")) {
      if (!counters_.exits) counters_.exits = 0;
      add(*counters_.exits, n);
    }
  }

  Counters& counters_;
  int depth_ = 0;
  std::string group_, key_;
};

} // namespace

bool add_metrics(std::string_view line, Counters& counters) {
  Counters sum = counters; // half a line must not count
  Reader reader(sum);
  if (!line.starts_with('{') || !Json::sax_parse(line, &reader)) return false;
  counters = std::move(sum);
  return true;
}

Counters parse_block_stats(const Json& answer) {
  Counters all;
  if (!answer.is_array()) return all;
  for (const Json& device : answer) {
    if (!device.is_object() || !device.contains("device") || !device["device"].is_string())
      continue;
    auto stats = device.find("stats");
    if (stats == device.end() || !stats->is_object()) continue;
    auto number = [&](const char* key) {
      int64_t n = 0;
      auto it = stats->find(key);
      if (it != stats->end() && it->is_number_unsigned()) add(n, it->get<uint64_t>());
      return n;
    };
    DiskCounters* disk = disk_called(all, device["device"].get<std::string>());
    if (!disk) continue;
    disk->read = number("rd_bytes");
    disk->written = number("wr_bytes");
    disk->reads = number("rd_operations");
    disk->writes = number("wr_operations");
    disk->flushes = number("flush_operations");
    for (const char* key :
         {"failed_rd_operations", "failed_wr_operations", "failed_flush_operations"})
      add(disk->errors, static_cast<uint64_t>(number(key)));
  }
  return all;
}

} // namespace banger::vmm
