#include "ops/query/logs.h"

#include "ops/common/places.h"
#include "ops/link/end.h"
#include "ops/release/seen.h"
#include "sys/file.h"
#include "sys/log_follower.h"

namespace banger::ops {

void read_log(Reader& in, const std::string& ref, const LogQuery& query,
              const std::function<void(std::string_view)>& give) {
  Vm vm = as_seen(in.dirs, in.state.tag(), in.state.get_vm(ref));
  Places places = places_of(in.dirs, in.state.tag(), vm);
  const std::string& path = query.which == VmLog::console ? places.console
                            : query.which == VmLog::vmm   ? places.vmm_log
                                                          : places.lifecycle;
  sys::LogFollower log(path);
  auto give_new = [&] {
    for (std::string text = log.next(); !text.empty(); text = log.next()) give(text);
  };
  bool follow = query.follow && is_live(vm.state);
  // Watched before it is read, so that nothing is missed in between.
  sys::Loop loop;
  Fd stirs;
  if (follow) {
    // A start makes its logs before it has anything to say.
    while (!sys::exists(path)) {
      Fd comes = sys::watch_dir(places.dir);
      if (!sys::exists(path)) sys::wait_readable(comes.get(), Millis(1000));
    }
    stirs = sys::watch_file(path);
  }
  give(log.tail(query.lines));
  if (!follow) return;
  loop.watch(stirs.get(), [&] {
    sys::drain_events(stirs.get());
    give_new();
  });
  if (query.reader >= 0) loop.watch_hangup(query.reader, [&] { loop.stop(); });
  VmEnd end(loop, places, vm, [&] { loop.stop(); });
  loop.run();
  give_new();
}

} // namespace banger::ops
