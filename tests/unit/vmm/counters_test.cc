// What VMMs count, in the forms in which they tell it.
#include "vmm/counters.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace banger::vmm {
namespace {

// As Firecracker 1.16.1 writes it, with fewer groups.
constexpr std::string_view line =
    R"({"utc_timestamp_ms":1785000000000,"block_root":{"execute_fails":1,"invalid_reqs_count":2,"flush_count":3,)"
    R"("read_bytes":4096,"write_bytes":0,"read_count":1,"write_count":0,"read_agg":{"min_us":9,"read_bytes":5}},)"
    R"("block":{"read_bytes":4096,"read_count":1},"net_n0":{"rx_bytes_count":100,"tx_bytes_count":50,"tap_read_fails":1},)"
    R"("net":{"rx_bytes_count":100},"vcpu":{"exit_io_in":5,"exit_io_out":6,"exit_mmio_read":7,"exit_mmio_write":8,)"
    R"("failures":9,"exit_io_in_agg":{"sum_us":77}}})";

TEST(Counters, LinesOfFirecrackerAddUp) {
  Counters c;
  EXPECT_TRUE(add_metrics(line, c));
  EXPECT_TRUE(add_metrics(line, c));
  EXPECT_TRUE(add_metrics(R"({"block_work":{"write_bytes":7}})", c));
  Counters expected{
      {{"root", 8192, 0, 2, 0, 6, 6}, {"work", 0, 7, 0, 0, 0, 0}}, NetCounters{200, 100, 2}, 52};
  EXPECT_EQ(c, expected);
}

TEST(Counters, WhatIsNoLineOfFirecrackersChangesNothing) {
  Counters c;
  ASSERT_TRUE(add_metrics(line, c));
  const Counters before = c;
  for (std::string_view bad : {std::string_view(), std::string_view("7"), std::string_view("[1]"),
                               line.substr(0, line.size() - 1), line.substr(1),
                               std::string_view(R"({"block_root":{"read_bytes":1},"x":[1]})")}) {
    EXPECT_FALSE(add_metrics(bad, c)) << bad;
    EXPECT_EQ(c, before) << bad;
  }
  // Numbers that cannot be.
  EXPECT_TRUE(
      add_metrics(R"({"block_root":{"read_bytes":-1,"write_bytes":1.5,"flush_count":"x"}})", c));
  EXPECT_EQ(c, before);
  for (int i = 0; i < 3; i++)
    add_metrics(R"({"block_root":{"read_bytes":18446744073709551615}})", c);
  EXPECT_EQ(c.disks[0].read, std::numeric_limits<int64_t>::max());
}

TEST(Counters, DisksThatCannotBeAreNotKept) {
  Counters c;
  for (int i = 0; i < 1000; i++)
    add_metrics("{\"block_" + std::to_string(i) + "\":{\"read_bytes\":1}}", c);
  EXPECT_LE(c.disks.size(), 64u);
  add_metrics("{\"block_" + std::string(10'000, 'x') + "\":{\"read_bytes\":1}}", c);
  EXPECT_LE(c.disks.size(), 64u);
}

TEST(Counters, QemusBlockStatistics) {
  auto answer = nlohmann::ordered_json::parse(
      R"([{"device":"upper","stats":{"rd_bytes":1,"wr_bytes":2,"rd_operations":3,"wr_operations":4,)"
      R"("flush_operations":5,"failed_rd_operations":6,"failed_wr_operations":7,"failed_flush_operations":8}},)"
      R"({"device":"work","stats":{"rd_bytes":-1}},{"device":"none"},{"stats":{}},7])");
  Counters expected{{{"upper", 1, 2, 3, 4, 5, 21}, {"work", 0, 0, 0, 0, 0, 0}}, {}, {}};
  EXPECT_EQ(parse_block_stats(answer), expected);
  EXPECT_EQ(parse_block_stats(nlohmann::ordered_json::parse("7")), Counters());
}

} // namespace
} // namespace banger::vmm
