#include "ops/monitor/mapper_helper.h"

#include "ops/release/mapping.h"

namespace banger::ops {

std::unique_ptr<Helper> ask_mapper(Context& ctx, sys::Loop& loop, const disk::MapRequest& request,
                                   const std::string& cwd, int errors, Millis patience,
                                   std::function<void(std::expected<disk::Mapped, Error>)> done) {
  sys::Command command = mapper_command(ctx.dirs, request.act);
  command.cwd = cwd;
  return std::make_unique<Helper>(
      loop, command, disk::to_line(request), errors, patience, [done = std::move(done)](auto line) {
        std::expected<disk::Mapped, Error> mapped = std::unexpected(failed("no answer"));
        try {
          if (line)
            mapped = disk::parse_map_answer(*line);
          else
            mapped = std::unexpected(std::move(line).error());
        } catch (const Error& e) {
          mapped = std::unexpected(e);
        }
        done(std::move(mapped));
      });
}

} // namespace banger::ops
