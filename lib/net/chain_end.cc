#include "net/chain_end.h"

#include <algorithm>
#include <optional>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/text.h"
#include "net/listed.h"

namespace banger::net {

namespace {

using Json = nlohmann::json;

constexpr int deepest = 8; // of chains that lead to one another

// What a rule does to all packets that come to it.
struct Rule {
  enum class Does { nothing, drops, leaves, jumps, goes } does = Does::nothing;
  std::string target = {};
};
using RulesOf = std::function<std::vector<Rule>(const std::string& chain)>;

// Whether nothing comes out of it: neither further on in its hook, nor back to who jumped there.
bool drops_all(const std::string& chain, const RulesOf& rules_of, int depth) {
  if (depth == deepest) return false;
  for (const Rule& rule : rules_of(chain)) switch (rule.does) {
    case Rule::Does::nothing:
      break;
    case Rule::Does::drops:
      return true;
    case Rule::Does::leaves:
      return false;
    case Rule::Does::jumps:
      if (drops_all(rule.target, rules_of, depth + 1)) return true;
      break;
    case Rule::Does::goes:
      return drops_all(rule.target, rules_of, depth + 1);
    }
  return false;
}

// None: it is a condition, or may be one.
std::optional<Rule> part_of(const Json& part) {
  using Does = Rule::Does;
  if (part.contains("counter") || part.contains("log")) return Rule{};
  if (part.contains("drop") || part.contains("reject")) return Rule{Does::drops};
  if (part.contains("accept") || part.contains("return")) return Rule{Does::leaves};
  if (part.contains("jump")) return Rule{Does::jumps, part["jump"].value("target", "")};
  if (part.contains("goto")) return Rule{Does::goes, part["goto"].value("target", "")};
  // Extensions of iptables that nftables has no words for.
  std::string name = part.value("/xt/name"_json_pointer, "");
  if (name == "comment" || name == "LOG" || name == "NFLOG") return Rule{};
  if (name == "REJECT" || name == "DROP") return Rule{Does::drops};
  return {};
}

Rule rule_of(const Json& expressions) {
  Rule rule;
  for (const Json& part : expressions) {
    auto does = part_of(part);
    if (!does) return {};
    if (does->does != Rule::Does::nothing) rule = *does;
  }
  return rule;
}

// The words behind "-A CHAIN".
Rule rule_of(std::vector<std::string> words) {
  using Does = Rule::Does;
  auto at = words.begin();
  if (words.size() > 4 && words[0] == "-m" && words[1] == "comment" && words[2] == "--comment") {
    at += 3;
    if (at->starts_with('"') && (at->size() == 1 || !at->ends_with('"')))
      at = std::find_if(at + 1, words.end(), [](const std::string& w) { return w.ends_with('"'); });
    if (at != words.end()) ++at;
  }
  if (words.end() - at < 2 || (*at != "-j" && *at != "-g")) return {};
  const std::string& target = at[1];
  if (*at == "-g") return {Does::goes, target};
  if (target == "DROP" || target == "REJECT") return {Does::drops};
  if (target == "ACCEPT" || target == "RETURN") return {Does::leaves};
  return {Does::jumps, target}; // one of an extension, as LOG, has no rules
}

} // namespace

bool ends_in_drop(const std::string& chain,
                  const std::function<std::string(const std::string& chain)>& list) {
  return drops_all(
      chain,
      [&](const std::string& name) {
        std::vector<Rule> rules;
        each_listed(list(name), "rule", [&](const Json& rule) {
          rules.push_back(rule_of(rule.value("expr", Json::array())));
        });
        return rules;
      },
      0);
}

bool ends_in_drop(std::string_view rules, std::string_view chain) {
  std::vector<std::string> lines = split(rules, '\n');
  return drops_all(
      std::string(chain),
      [&](const std::string& name) {
        std::vector<Rule> all;
        for (const std::string& line : lines) {
          std::vector<std::string> words = split(line, ' ');
          if (words.size() < 2 || words[0] != "-A" || words[1] != name) continue;
          all.push_back(rule_of({words.begin() + 2, words.end()}));
        }
        return all;
      },
      0);
}

} // namespace banger::net
