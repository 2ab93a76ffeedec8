// The context of every operation. References only: their opener (ops/common/open.h) owns them.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "core/log.h"
#include "model/settings.h"
#include "model/wire.h"
#include "state/state.h"

namespace banger::ops {

// For an operation that only reads.
struct Reader {
  const Settings& settings;
  const Dirs& dirs;
  state::State& state;
};

// Progress for people: a stage, and the VM or image that it is for. Never the result.
using OnStage = std::function<void(std::string_view subject, std::string_view stage)>;
// A line that people should read once ("no usable KVM: …").
using OnNotice = std::function<void(std::string_view text)>;

// For an operation that changes something, or may have to say something to people.
struct Context : Reader {
  Log& log;
  OnStage stage = [](std::string_view, std::string_view) {};
  OnNotice notice = [](std::string_view) {};
};

// Adds an event to the state (joining an open transaction) and to the log.
void record(Context& ctx, const std::string& vm, const std::string& type);
void record(Context& ctx, const std::string& vm, const std::string& type, const Json& detail);

// Emulation is slower by about this factor, and so deadlines are longer under it.
Millis scaled(Millis timeout, Accel accel);

} // namespace banger::ops
