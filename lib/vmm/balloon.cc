#include "vmm/balloon.h"

#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/error.h"

namespace banger::vmm {

namespace {

using Json = nlohmann::json;

constexpr Millis patience{2'000}, time_to_tell{500}, next_look{10};
constexpr Millis time_to_be_mute{60'000};

Json property(const char* name) {
  return {{"path", fmt::format("/machine/peripheral/{}", balloon_id)}, {"property", name}};
}

Error is_mute() {
  return Error(Code::unreachable, "the guest does not tell what memory it has: no balloon driver");
}

} // namespace

std::optional<GuestMemory> parse_guest_stats(const Json& answer, int64_t since) {
  auto number = [](const Json& in, const char* key) -> std::optional<int64_t> {
    auto it = in.is_object() ? in.find(key) : in.end();
    if (it == in.end() || !it->is_number_integer()) return {};
    // What the guest does not tell is 2^64 - 1 there.
    auto value = it->get<int64_t>();
    return value < 0 ? std::nullopt : std::optional(value);
  };
  if (number(answer, "last-update").value_or(0) < since || !answer.contains("stats")) return {};
  const Json& stats = answer["stats"];
  auto total = number(stats, "stat-total-memory"), free = number(stats, "stat-free-memory"),
       available = number(stats, "stat-available-memory");
  if (!total || !free || !available) return {};
  return GuestMemory{*total, *free, *available};
}

Balloon::~Balloon() { loop_.cancel(timer_); }

void Balloon::look(MemoryDone done) {
  if (askers_.empty() && steady_now() < mute_until_) return done(std::unexpected(is_mute()));
  askers_.push_back(std::move(done));
  if (askers_.size() > 1) return;
  asked_at_ = wall_now().ns / 1'000'000'000;
  give_up_ = steady_now() + time_to_tell;
  ask_every(1, [this](auto answer) {
    if (!answer) return settle(std::unexpected(std::move(answer).error()));
    read();
  });
}

void Balloon::ask_every(int seconds, Qmp::Answer answer) {
  Json set = property("guest-stats-polling-interval");
  set["value"] = seconds;
  qmp_.execute("qom-set", set, patience, std::move(answer));
}

void Balloon::read() {
  qmp_.execute("qom-get", property("guest-stats"), patience, [this](auto answer) {
    if (!answer) return settle(std::unexpected(std::move(answer).error()));
    if (auto memory = parse_guest_stats(*answer, asked_at_)) return settle(*memory);
    if (steady_now() < give_up_) return void(timer_ = loop_.after(next_look, [this] { read(); }));
    mute_until_ = steady_now() + time_to_be_mute;
    settle(std::unexpected(is_mute()));
  });
}

void Balloon::settle(std::expected<GuestMemory, Error> how) {
  ask_every(0, [](const auto&) {});
  // Who is told may end all this.
  for (const MemoryDone& done : std::exchange(askers_, {})) done(how);
}

} // namespace banger::vmm
