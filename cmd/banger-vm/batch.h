// The means of a verb that changes VMs: the state opened for writing, the operation's context,
// progress for people. Rows that something dead left are settled first.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "cli/app.h"
#include "cli/each.h"
#include "cli/verb.h"
#include "ops/query/select.h"
#include "ops/recover/work.h"

namespace banger::tool {

// The option -j, for verbs that act on several VMs side by side.
cli::Option jobs_option(std::optional<size_t>& jobs);

// A VM that was started, for people its published ports too.
cli::Done started(const Vm& vm, bool changed);

class Batch {
public:
  // Opened to be read, nothing is settled and nothing can be changed.
  explicit Batch(cli::App& app, state::Mode mode = state::Mode::write);
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

  using Act = std::function<cli::Done(ops::Context& ctx, const std::string& name)>;
  // Acts on each, up to `jobs` (none: cli::usual_jobs()) at once, each with a context that no other
  // uses at the time; prints a result each; gives the status.
  int on_each(std::string_view verb, const std::vector<std::string>& names,
              std::optional<size_t> jobs, const Act& act);
  // The same for the VMs of a query. One that nobody named, and that another command has removed
  // meanwhile, is none of them any more: no failure, and nothing of it is left when this returns.
  int on_each(std::string_view verb, const ops::VmQuery& query, std::optional<size_t> jobs,
              const Act& act);

private:
  ops::Tell tell();
  void show_stage(std::string_view subject, std::string_view what);
  void show_stages();
  void finished(const std::string& name);

  cli::App& app_;
  std::mutex printing_;
  std::set<std::string, std::less<>> noticed_; // said once, of however many VMs
  size_t total_ = 1, done_ = 0;
  std::vector<std::pair<std::string, std::string>> stages_; // of those at work; the last one shows

public:
  cli::Progress progress;
  ops::Work ctx;
};

} // namespace banger::tool
