#include "ops/monitor/place_helper.h"

#include "ops/link/link.h"
#include "ops/monitor/place.h"

namespace banger::ops {

std::unique_ptr<Helper> ask_place(Context& ctx, sys::Loop& loop, const PlaceAct& act,
                                  const std::string& cwd, int errors, Millis patience,
                                  std::function<void(std::optional<Error>)> done) {
  PlaceRequest request{act.act,  act.vm,      ctx.log.op(), std::string(name_of(ctx.log.level())),
                       ctx.dirs, ctx.settings};
  return std::make_unique<Helper>(
      loop, sys::Command{{ctx.dirs.libexec + "/banger-place", act.act}, {}, cwd, false},
      to_line(request), errors, patience, [done = std::move(done)](auto line) {
        if (!line) return done(std::move(line).error());
        std::optional<Error> fault;
        try {
          fault = parse_report(*line).error;
        } catch (const Error& e) {
          fault = e;
        }
        done(std::move(fault));
      });
}

} // namespace banger::ops
