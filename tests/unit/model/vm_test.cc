#include "model/vm.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace banger {
namespace {

// A word that is written is read back, and is spelt as contract.md has it.
template <typename E>
void expect_words(E (*parse)(std::string_view), std::initializer_list<std::string_view> words) {
  int value = 0;
  for (std::string_view word : words) {
    EXPECT_EQ(name_of(static_cast<E>(value)), word);
    EXPECT_EQ(parse(word), static_cast<E>(value));
    value++;
  }
  for (std::string_view bad : {"", "RUNNING", "auto", "?", "kvm "}) {
    try {
      parse(bad);
      ADD_FAILURE() << bad;
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Code::usage);
      for (std::string_view word : words)
        EXPECT_NE(e.message().find(word), std::string::npos) << e.message();
    }
  }
}

TEST(VmWords, AreThoseOfTheContract) {
  expect_words(parse_vm_state, {"creating", "stopped", "starting", "running", "paused", "stopping",
                                "failed", "removing"});
  expect_words(parse_net_mode, {"user", "bridge", "isolated"});
  expect_words(parse_root_way, {"reflink", "dm-snapshot", "overlay", "copy"});
  expect_words(parse_vmm_kind, {"qemu", "firecracker"});
  expect_words(parse_accel, {"kvm", "tcg"});
}

TEST(VmState, LiveIsWhereAVmmMayRun) {
  for (VmState s : {VmState::starting, VmState::running, VmState::paused, VmState::stopping})
    EXPECT_TRUE(is_live(s)) << name_of(s);
  for (VmState s : {VmState::creating, VmState::stopped, VmState::failed, VmState::removing})
    EXPECT_FALSE(is_live(s)) << name_of(s);
}

} // namespace
} // namespace banger
