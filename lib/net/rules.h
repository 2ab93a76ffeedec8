// Rules of nftables in the network namespace that this process is in. The only place that sees
// libnftables; its context stays open, because making one costs more than using it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/bridge_plan.h"
#include "net/plan.h"

struct nft_ctx;

namespace banger::net {

class Rules {
public:
  Rules();
  // One transaction: all of it or nothing. Throws Error(failed) with what nftables said.
  void apply(const std::string& script);
  // How many have been applied.
  uint32_t applied() const { return applied_; }
  // A table as JSON (libnftables-json(5)); empty where there is none.
  std::string list(std::string_view family, std::string_view table);
  // The same of one chain with its rules, and of all chains of all tables without theirs.
  std::string list_chain(std::string_view family, std::string_view table, std::string_view chain);
  std::string list_chains();
  // All tables, and all of everybody's rules.
  std::string list_tables();
  std::string list_all();
  // The drops that the table has counted; empty where there is no such table.
  std::vector<Drop> drops(const std::string& table);

private:
  std::string ask(const std::string& command);
  struct Free {
    void operator()(nft_ctx* c) const;
  };
  std::unique_ptr<nft_ctx, Free> context_;
  uint32_t applied_ = 0;
};

// From what nftables prints of a table as JSON (libnftables-json(5)). Pure.
std::vector<Drop> parse_drops(const std::string& json);

// The counts of a bridge's two tables, as listed.
BridgeCounts read_counts(const std::string& frames, const std::string& packets,
                         std::string_view tag);

} // namespace banger::net
