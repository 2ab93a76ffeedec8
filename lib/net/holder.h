// The holder of a network namespace (libexec/banger/banger-netns): a process that keeps the
// namespace there while no VM runs in it, and, being inside, makes links and rules when asked.
//
//   one line each way on a connection of its socket, JSON, each with "v"
//   {"v":1,"do":"apply","plan":{…}}   ──>  {"v":1} or {"v":1,"error":{"code","message"}}
//   {"v":1,"do":"drops","table":T}    ──>  {"v":1,"drops":[{"link","reason","packets"}]}
//
// It has no state of its own: killed, another enters the same namespace and takes its place.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/handle.h"
#include "net/plan.h"

namespace banger::net {

struct HolderAsk {
  std::string verb; // "apply", "drops"
  NetPlan plan;
  std::string table;
  bool operator==(const HolderAsk&) const = default;
};

std::string to_line(const HolderAsk& ask); // with the newline
// Throws Error(failed) for a line that is none.
HolderAsk parse_holder_ask(std::string_view line);
std::string drops_reply(const std::vector<Drop>& drops);
std::string error_reply(std::string_view code, std::string_view message);

// The other side: a question each. Error(unreachable) when no holder answers in time.
void apply_plan(const std::string& socket, const NetPlan& plan);
std::vector<Drop> ask_drops(const std::string& socket, const std::string& table);

// Answers on `listener` for as long as this process lives.
void serve_holder(Fd listener);

} // namespace banger::net
