// What a verb that changes something works with, and its progress for people.
#pragma once

#include "cli/app.h"
#include "cli/terminal.h"
#include "ops/recover/work.h"

namespace banger::cmd {

struct Work {
  explicit Work(cli::App& app)
      : progress(app.progress), ctx(app.settings, app.dirs, app.log, tell(app)) {}
  Work(const Work&) = delete;
  Work& operator=(const Work&) = delete;

  cli::Progress progress;
  ops::Work ctx;

private:
  ops::Tell tell(cli::App& app) {
    return {
        [this](std::string_view subject, std::string_view what) { progress.stage(subject, what); },
        [this, &app](std::string_view text) {
          progress.done();
          app.notice(text);
        }};
  }
};

} // namespace banger::cmd
