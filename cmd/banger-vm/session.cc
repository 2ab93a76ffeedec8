#include "banger-vm/session.h"

#include <algorithm>
#include <memory>

#include "cli/kinds.h"
#include "ops/recover/reconcile.h"

namespace banger::vm {

cli::Option jobs_option(std::optional<size_t>& jobs) {
  return {.flags = "-j,--jobs",
          .value = "N",
          .help = "how many at once",
          .fallback = "twice the cpus",
          .target = {cli::kinds::jobs, &jobs}};
}

Session::Session(cli::App& app, state::Mode mode)
    : app_(app), progress(app.progress),
      state(state::State::open(app.dirs, mode)), ctx{app.settings, app.dirs, state, app.log} {
  ctx.may_write = mode == state::Mode::write;
  ctx.stage = [this](std::string_view subject, std::string_view what) {
    std::lock_guard lock(printing_);
    show_stage(subject, what);
  };
  ctx.notice = [this](std::string_view text) {
    std::lock_guard lock(printing_);
    if (!noticed_.emplace(text).second) return;
    progress.done();
    app_.notice(text);
  };
  if (ctx.may_write) ops::reconcile(ctx);
}

void Session::show_stage(std::string_view subject, std::string_view what) {
  if (total_ <= 1) return progress.stage(subject, what);
  std::erase_if(stages_, [&](const auto& s) { return s.first == subject; });
  stages_.emplace_back(subject, what);
  show_stages();
}

void Session::show_stages() {
  const auto& [subject, what] = stages_.back();
  progress.stage(fmt::format("{} of {} done", done_, total_), fmt::format("{}: {}", subject, what));
}

void Session::finished(const std::string& name) {
  std::lock_guard lock(printing_);
  done_++;
  std::erase_if(stages_, [&](const auto& s) { return s.first == name; });
  if (total_ <= 1)
    progress.done();
  else if (!stages_.empty())
    show_stages();
}

namespace {

// What a thread works with: neither a State nor a Log may be shared.
struct Worker {
  explicit Worker(const ops::Context& ctx)
      : state(state::State::open(ctx.dirs, ctx.may_write ? state::Mode::write : state::Mode::read)),
        log(ctx.log.path(), ctx.log.level(), ctx.log.op()), own{ctx.settings, ctx.dirs,  state,
                                                                log,          ctx.stage, ctx.notice,
                                                                ctx.may_write} {}
  state::State state;
  Log log;
  ops::Context own;
};

} // namespace

int Session::on_each(std::string_view verb, const std::vector<std::string>& names,
                     std::optional<size_t> jobs, const Act& act) {
  size_t beside = std::min(jobs.value_or(cli::usual_jobs()), names.size());
  total_ = names.size();
  done_ = 0;
  stages_.clear();
  auto make_act = [&]() -> cli::Act {
    auto worker = beside > 1 ? std::make_shared<Worker>(ctx) : nullptr;
    return [this, worker, &act](const std::string& name) {
      struct Counted {
        Session& session;
        const std::string& name;
        ~Counted() { session.finished(name); }
      } counted{*this, name};
      return act(worker ? worker->own : ctx, name);
    };
  };
  int status = cli::for_each_beside(app_, verb, names, beside, make_act, printing_);
  progress.done();
  return status;
}

} // namespace banger::vm
