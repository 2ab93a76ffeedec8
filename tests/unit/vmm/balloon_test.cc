#include "vmm/balloon.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "sys/lines.h"
#include "sys/socket.h"
#include "sys/wait.h"

namespace banger::vmm {
namespace {

using Json = nlohmann::json;

constexpr Millis patience{10'000};

Json stats(int64_t at) {
  return {{"last-update", at},
          {"stats",
           {{"stat-total-memory", 120'000'000},
            {"stat-free-memory", 50'000'000},
            {"stat-available-memory", 90'000'000},
            {"stat-swap-in", 0}}}};
}

constexpr GuestMemory told{120'000'000, 50'000'000, 90'000'000};

TEST(GuestStats, AreTakenWhenTheyAreWholeAndNotOld) {
  EXPECT_EQ(parse_guest_stats(stats(1000), 1000), told);
  EXPECT_FALSE(parse_guest_stats(stats(999), 1000));
  Json part = stats(1000);
  part["stats"]["stat-available-memory"] = ~uint64_t{0}; // not told
  EXPECT_FALSE(parse_guest_stats(part, 1000));
  part["stats"].erase("stat-available-memory");
  EXPECT_FALSE(parse_guest_stats(part, 1000));
  for (const char* bad : {"[]", "{}", "7", R"({"last-update":2000,"stats":[]})",
                          R"({"last-update":"2000","stats":{}})"})
    EXPECT_FALSE(parse_guest_stats(Json::parse(bad), 1000)) << bad;
}

// A QEMU that is played by the test.
class BalloonTest : public testing::Test {
protected:
  BalloonTest() {
    auto [ours, theirs] = sys::socket_pair();
    peer = std::move(theirs);
    qmp = std::make_unique<Qmp>(loop, std::move(ours), [](const auto&, const auto&) {});
    balloon = std::make_unique<Balloon>(loop, *qmp);
    lines = std::make_unique<sys::LineReader>(peer.get());
    lines->next(patience); // the greeting
  }
  // "qom-set 1", "qom-get": the next command, whose answer is `result`.
  std::string answer(const Json& result) {
    Json asked = Json::parse(lines->next(patience).value());
    sys::send_all(peer.get(), Json{{"return", result}, {"id", asked["id"]}}.dump() + "\n");
    const Json& words = asked["arguments"];
    EXPECT_EQ(words["path"], "/machine/peripheral/b0");
    std::string what = asked["execute"];
    if (words.contains("value")) what += " " + words["value"].dump();
    return what;
  }
  bool is_asked() { return lines->next(Millis(0)).has_value(); }
  void look() {
    balloon->look([this](auto memory) { seen.push_back(std::move(memory)); });
  }
  void run(Millis time) {
    loop.after(time, [this] { loop.stop(); });
    loop.run();
  }
  // Runs the loop until something is said to QEMU.
  void run_until_asked() {
    for (SteadyTime late = steady_now() + patience;
         !sys::is_readable(peer.get()) && steady_now() < late;)
      run(Millis(1));
  }

  sys::Loop loop;
  Fd peer;
  std::unique_ptr<Qmp> qmp;
  std::unique_ptr<Balloon> balloon;
  std::unique_ptr<sys::LineReader> lines;
  std::vector<std::expected<GuestMemory, Error>> seen;
};

TEST_F(BalloonTest, AGuestIsAskedWhenSomebodyAsksAndOnceForAll) {
  int64_t now = wall_now().ns / 1'000'000'000;
  look();
  look();
  EXPECT_EQ(answer(Json::object()), "qom-set 1");
  run_until_asked();
  EXPECT_EQ(answer(stats(now - 3600)), "qom-get"); // of the look before
  run_until_asked();
  EXPECT_TRUE(seen.empty());
  EXPECT_EQ(answer(stats(now + 1)), "qom-get");
  run(Millis(20));
  ASSERT_EQ(seen.size(), 2u);
  for (const auto& memory : seen) EXPECT_EQ(memory.value(), told);
  EXPECT_EQ(answer(Json::object()), "qom-set 0"); // and is left alone again
  run(Millis(20));
  EXPECT_FALSE(is_asked());
}

TEST_F(BalloonTest, AGuestThatDoesNotTellIsNotAwaitedAgainAndAgain) {
  look();
  EXPECT_EQ(answer(Json::object()), "qom-set 1");
  for (int tries = 0; seen.empty() && tries < 1000; tries++) {
    run(Millis(10));
    if (seen.empty() && sys::wait_readable(peer.get(), Millis(0))) {
      EXPECT_EQ(answer(stats(0)), "qom-get");
    }
  }
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].error().code(), Code::unreachable);
  EXPECT_EQ(answer(Json::object()), "qom-set 0");
  look();
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_FALSE(seen[1]);
  EXPECT_FALSE(is_asked());
}

TEST_F(BalloonTest, OneThatHasGoneIsAnError) {
  look();
  peer.reset();
  run(Millis(50));
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].error().code(), Code::unreachable);
}

} // namespace
} // namespace banger::vmm
