#include "cli/value.h"

#include <gtest/gtest.h>

#include "cli/kinds.h"
#include "core/error.h"
#include "model/name.h"

namespace banger::cli {
namespace {

std::string refusal(const Target& target, std::string_view text) {
  try {
    target.take("--x", text);
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::usage);
    return e.message();
  }
  ADD_FAILURE() << "taken: " << text;
  return {};
}

TEST(Value, EachKindGoesIntoAPlaceOfItsType) {
  int cpus = 0;
  std::optional<int64_t> memory;
  std::optional<Millis> timeout;
  bool open = false;
  std::optional<NetMode> net;
  std::vector<std::pair<std::string, std::string>> labels;
  Target(kinds::cpus, &cpus).take("--x", "4");
  Target(kinds::memory, &memory).take("--x", "2G");
  Target(Duration{}, &timeout).take("--x", "5m");
  Target(Boolean{}, &open).take("--x", "true");
  Target(kinds::net_mode(), &net).take("--x", "isolated");
  Target several(As<parse_label>{}, &labels);
  several.take("--x", "a=b");
  several.take("--x", "c=");
  EXPECT_EQ(cpus, 4);
  EXPECT_EQ(memory, int64_t{2} << 30);
  EXPECT_EQ(timeout, Millis(300'000));
  EXPECT_TRUE(open);
  EXPECT_EQ(net, NetMode::isolated);
  EXPECT_EQ(labels, (std::vector<std::pair<std::string, std::string>>{{"a", "b"}, {"c", ""}}));
  EXPECT_TRUE(several.repeats());
}

TEST(Value, BoundsAreKeptAndShown) {
  int cpus = 0;
  Target target(kinds::cpus, &cpus);
  EXPECT_EQ(target.range(), "1 to 64");
  for (const char* bad : {"0", "65", "-1", "", "x", "1.5"})
    EXPECT_TRUE(refusal(target, bad).starts_with("invalid --x '")) << bad;
  target.take("--x", "64");
  EXPECT_EQ(cpus, 64);
  Millis pause;
  EXPECT_EQ(refusal(Target(Duration{.least = Millis(100)}, &pause), "99ms"),
            "invalid --x '99ms': it is under 100ms");
}

TEST(Value, AutoIsNoneOfTheChoices) {
  std::optional<Accel> accel = Accel::tcg;
  Target target(or_auto(kinds::accel()), &accel);
  EXPECT_EQ(target.words(), (std::vector<std::string>{"auto", "kvm", "tcg"}));
  target.take("--x", "auto");
  EXPECT_EQ(accel, std::nullopt);
  target.take("--x", "kvm");
  EXPECT_EQ(accel, Accel::kvm);
  EXPECT_EQ(refusal(target, "KVM"), "invalid --x 'KVM': it is one of auto, kvm, tcg");
}

TEST(Value, ASwitchOnlyIsSet) {
  bool force = false;
  Target target(&force);
  EXPECT_TRUE(target.is_switch());
  target.set();
  EXPECT_TRUE(force);
  EXPECT_FALSE(Target(Boolean{}, &force).is_switch());
}

} // namespace
} // namespace banger::cli
