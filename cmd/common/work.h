// The means of a verb that changes something, and its progress for people.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/app.h"
#include "cli/terminal.h"
#include "ops/recover/work.h"

namespace banger::tool {

struct Work {
  explicit Work(cli::App& app)
      : progress(app.progress), ctx(app.settings, app.dirs, app.log, tell(app)) {}
  Work(const Work&) = delete;
  Work& operator=(const Work&) = delete;

  // As App::for_each. A result or an error replaces the line of progress, which is not painted
  // again behind it.
  int for_each(cli::App& app, std::string_view verb, const std::vector<std::string>& names,
               const cli::Act& act) {
    return app.for_each(verb, names, [&](const std::string& name) {
      struct Rest {
        cli::Progress& progress;
        ~Rest() { progress.rest(); }
      } rest{progress};
      return act(name);
    });
  }

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

} // namespace banger::tool
