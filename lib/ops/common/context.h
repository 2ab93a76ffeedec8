// What every operation is given. References only: main (or the monitor) owns all of it.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "core/log.h"
#include "model/settings.h"
#include "model/wire.h"
#include "state/state.h"

namespace banger::ops {

struct Context {
  const Settings& settings;
  const Dirs& dirs;
  state::State& state;
  Log& log;
  // Progress for people: what is being done to whom. Never the result.
  std::function<void(std::string_view subject, std::string_view stage)> stage =
      [](std::string_view, std::string_view) {};
  // A line that people should read once ("no usable KVM: …").
  std::function<void(std::string_view text)> notice = [](std::string_view) {};
  // False: the state was opened to be read, and not even what was found out is kept there.
  bool may_write = true;
};

// Adds an event to the state (joining an open transaction) and to the log.
void record(Context& ctx, const std::string& vm, const std::string& type,
            const Json& detail = Json::object());

// Emulation is slower by about this factor, and so deadlines are longer under it.
Millis scaled(Millis timeout, Accel accel);

} // namespace banger::ops
