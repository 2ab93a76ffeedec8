#include "net/rules.h"

#include <nftables/libnftables.h>

#include "core/error.h"
#include "core/failpoint.h"
#include "core/text.h"

namespace banger::net {

void Rules::Free::operator()(nft_ctx* c) const { ::nft_ctx_free(c); }

Rules::Rules() : context_(::nft_ctx_new(NFT_CTX_DEFAULT)) {
  if (!context_) throw failed("cannot open nftables");
  ::nft_ctx_buffer_output(context_.get());
  ::nft_ctx_buffer_error(context_.get());
  // Numbers as they are: a look-up would ask the host's resolver.
  ::nft_ctx_output_set_flags(context_.get(), NFT_CTX_OUTPUT_JSON | NFT_CTX_OUTPUT_NUMERIC_ALL);
}

void Rules::apply(const std::string& script) {
  if (script.empty()) return;
  failpoint(Point::rules);
  if (::nft_run_cmd_from_buffer(context_.get(), script.c_str()) == 0) {
    applied_++;
    return;
  }
  std::string said = ::nft_ctx_get_error_buffer(context_.get());
  throw failed("nftables refuses the rules: {}",
               trim(escape_for_terminal(said.substr(0, said.find('\n')))));
}

std::string Rules::list(std::string_view family, std::string_view table) {
  return ask(fmt::format("list table {} {}", family, table));
}

std::string Rules::list_chain(std::string_view family, std::string_view table,
                              std::string_view chain) {
  return ask(fmt::format("list chain {} {} {}", family, table, chain));
}

std::string Rules::list_chains() { return ask("list chains"); }

std::string Rules::list_tables() { return ask("list tables"); }

std::string Rules::list_all() { return ask("list ruleset"); }

std::string Rules::ask(const std::string& command) {
  if (::nft_run_cmd_from_buffer(context_.get(), command.c_str()) != 0) return {};
  return ::nft_ctx_get_output_buffer(context_.get());
}

std::vector<Drop> Rules::drops(const std::string& table) {
  return parse_drops(list("bridge", table));
}

} // namespace banger::net
