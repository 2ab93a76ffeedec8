#include "banger-vm/batch.h"

#include <algorithm>
#include <memory>

#include "cli/kinds.h"
#include "core/error.h"
#include "model/port.h"
#include "ops/query/wait.h"
#include "ops/release/removal.h"

namespace banger::tool {

namespace {

constexpr Millis time_to_remove{40'000};

// Whether another command has removed it. Where one is at it, its end is waited for.
bool was_removed(ops::Context& ctx, const std::string& name) {
  auto vm = ctx.state.find_vm(name);
  if (vm && ops::is_being_removed(*vm)) {
    ctx.stage(name, "waiting until it is removed");
    ops::wait_for_vms(ctx, {name}, ops::WaitFor::stopped, time_to_remove, [](const auto&) {});
    vm = ctx.state.find_vm(name);
  }
  return !vm;
}

} // namespace

cli::Option jobs_option(std::optional<size_t>& jobs) {
  return {.flags = "-j,--jobs",
          .value = "N",
          .help = "how many at once",
          .fallback = "twice the cpus",
          .target = {cli::kinds::jobs, &jobs}};
}

cli::Done started(const Vm& vm, bool changed) {
  cli::Done done{name_of(vm.state), changed};
  if (vm.ports.empty()) return done;
  done.said = done.state;
  for (const PortRun& run : runs_of(vm.ports)) done.said += "\n" + to_text(run);
  return done;
}

Batch::Batch(cli::App& app, state::Mode mode)
    : app_(app), progress(app.progress), ctx(app.settings, app.dirs, app.log, tell(), mode) {}

ops::Tell Batch::tell() {
  return {[this](std::string_view subject, std::string_view what) {
            std::lock_guard lock(printing_);
            show_stage(subject, what);
          },
          [this](std::string_view text) {
            std::lock_guard lock(printing_);
            if (!noticed_.emplace(text).second) return;
            progress.done();
            app_.notice(text);
          }};
}

void Batch::show_stage(std::string_view subject, std::string_view what) {
  if (total_ <= 1) return progress.stage(subject, what);
  std::erase_if(stages_, [&](const auto& s) { return s.first == subject; });
  stages_.emplace_back(subject, what);
  show_stages();
}

void Batch::show_stages() {
  const auto& [subject, what] = stages_.back();
  progress.stage(fmt::format("{} of {} done", done_, total_), fmt::format("{}: {}", subject, what));
}

void Batch::finished(const std::string& name) {
  std::lock_guard lock(printing_);
  done_++;
  std::erase_if(stages_, [&](const auto& s) { return s.first == name; });
  if (total_ <= 1)
    progress.done();
  else if (!stages_.empty())
    show_stages();
}

int Batch::on_each(std::string_view verb, const std::vector<std::string>& names,
                   std::optional<size_t> jobs, const Act& act) {
  size_t beside = std::min(jobs.value_or(cli::usual_jobs()), names.size());
  total_ = names.size();
  done_ = 0;
  stages_.clear();
  auto make_act = [&]() -> cli::Act {
    auto worker = beside > 1 ? std::make_shared<ops::OpenedBeside>(ctx) : nullptr;
    return [this, worker, &act](const std::string& name) {
      struct Counted {
        Batch& batch;
        const std::string& name;
        ~Counted() { batch.finished(name); }
      } counted{*this, name};
      return act(worker ? *worker : static_cast<ops::Context&>(ctx), name);
    };
  };
  int status = cli::for_each_beside(app_, verb, names, beside, make_act, printing_);
  progress.done();
  return status;
}

int Batch::on_each(std::string_view verb, const ops::VmQuery& query, std::optional<size_t> jobs,
                   const Act& act) {
  const bool named = query.refs.has_value();
  return on_each(verb, ops::select_vms(ctx, query), jobs,
                 [&](ops::Context& own, const std::string& name) -> cli::Done {
                   try {
                     return act(own, name);
                   } catch (const Error&) {
                     if (named || !was_removed(own, name)) throw;
                     own.notice(fmt::format("'{}' was removed meanwhile", name));
                     return {"removed", false};
                   }
                 });
}

} // namespace banger::tool
