#include "banger-vm/batch.h"

#include <algorithm>
#include <memory>

#include "cli/kinds.h"
#include "model/port.h"

namespace banger::tool {

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

int Batch::on_each(std::string_view verb, const ops::VmQuery& which, std::optional<size_t> jobs,
                   const Act& act) {
  std::vector<std::string> names = ops::select_vms(ctx, which);
  if (which.refs) return on_each(verb, names, jobs, act);
  return on_each(verb, names, jobs, [&](ops::Context& context, const std::string& name) {
    try {
      return act(context, name);
    } catch (const Error& e) {
      if (e.code() != Code::not_found || context.state.find_vm(name)) throw;
      context.notice(fmt::format("'{}' was removed meanwhile", name));
      cli::Done done({}, false);
      done.said = "removed";
      return done;
    }
  });
}

} // namespace banger::tool
