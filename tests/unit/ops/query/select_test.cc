// Which VMs a query selects.
#include <gtest/gtest.h>

#include "core/error.h"
#include "ops/link/link.h"
#include "ops/query/select.h"

namespace banger::ops {
namespace {

Vm vm_of(VmState state, Labels labels) {
  Vm vm;
  vm.name = "x";
  vm.state = state;
  vm.labels = std::move(labels);
  return vm;
}

TEST(VmQuery, AllLabelsAndAnyStateMustMatch) {
  Vm vm = vm_of(VmState::failed, {{"a", "1"}, {"b", ""}});
  EXPECT_TRUE(matches(vm, {}));
  EXPECT_TRUE(matches(vm, {{}, {{"a", "1"}}, {}}));
  EXPECT_TRUE(matches(vm, {{}, {{"a", "1"}, {"b", ""}}, {VmState::failed, VmState::stopped}}));
  EXPECT_FALSE(matches(vm, {{}, {{"a", "2"}}, {}}));
  EXPECT_FALSE(matches(vm, {{}, {{"a", "1"}, {"a", "2"}}, {}}));
  EXPECT_FALSE(matches(vm, {{}, {{"c", ""}}, {}}));
  EXPECT_FALSE(matches(vm, {{}, {{"a", "1"}}, {VmState::stopped}}));
}

TEST(Link, TypedBytesArriveAsTheyAre) {
  std::string all;
  for (int c = 0; c < 256; c++) all += static_cast<char>(c);
  Ask ask = parse_ask(to_line(Ask{"console", Millis(0), all}));
  EXPECT_EQ(ask.verb, "console");
  EXPECT_EQ(ask.data, all);
  EXPECT_EQ(parse_ask(to_line(Ask{"stop", Millis(1500)})).data, "");
  EXPECT_EQ(parse_ask(R"({"v":1,"verb":"kill"})").verb, "kill"); // of the build before
  EXPECT_THROW(parse_ask(R"({"v":1,"verb":"console","data":"%"})"), Error);
}

} // namespace
} // namespace banger::ops
