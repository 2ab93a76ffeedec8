// What a verb that changes images works with: the state opened for writing, the operation's
// context, progress for people. Rows that something dead left are settled first.
#pragma once

#include "cli/app.h"
#include "ops/common/context.h"
#include "ops/image/store.h"
#include "state/state.h"

namespace banger::image_tool {

struct Session {
  explicit Session(cli::App& app)
      : progress(app.progress),
        state(state::State::open(app.dirs, state::Mode::write)), ctx{app.settings, app.dirs, state,
                                                                     app.log} {
    ctx.stage = [this](std::string_view subject, std::string_view what) {
      progress.stage(subject, what);
    };
    ctx.notice = [this, &app](std::string_view text) {
      progress.done();
      app.notice(text);
    };
    ops::clean_imports(ctx);
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  cli::Progress progress;
  state::State state;
  ops::Context ctx;
};

} // namespace banger::image_tool
