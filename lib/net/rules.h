// Rules of nftables in the network namespace that this process is in. The only place that sees
// libnftables; its context stays open, because making one costs more than using it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "net/plan.h"

struct nft_ctx;

namespace banger::net {

class Rules {
public:
  Rules();
  // One transaction: all of it or nothing. Throws Error(failed) with what nftables said.
  void apply(const std::string& script);
  // The drops that the table has counted; empty where there is no such table.
  std::vector<Drop> drops(const std::string& table);

private:
  struct Free {
    void operator()(nft_ctx* c) const;
  };
  std::unique_ptr<nft_ctx, Free> context_;
};

// From what nftables prints of a table as JSON (libnftables-json(5)). Pure.
std::vector<Drop> parse_drops(const std::string& json);

} // namespace banger::net
