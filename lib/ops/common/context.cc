#include "ops/common/context.h"

#include <nlohmann/json.hpp>

namespace banger::ops {

void record(Context& ctx, const std::string& vm, const std::string& type) {
  record(ctx, vm, type, Json::object());
}

void record(Context& ctx, const std::string& vm, const std::string& type, const Json& detail) {
  std::string text = detail.dump(-1, ' ', false, Json::error_handler_t::replace);
  ctx.state.add_event({0, wall_now(), ctx.log.op(), vm, type, text});
  ctx.log.info(type, {{"vm", std::string_view(vm)}, {"detail", Log::Object(text)}});
}

Millis scaled(Millis timeout, Accel accel) { return accel == Accel::tcg ? timeout * 3 : timeout; }

} // namespace banger::ops
