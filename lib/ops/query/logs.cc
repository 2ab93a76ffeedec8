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
  if (!query.follow || !is_live(vm.state)) return give(log.tail(query.lines));
  sys::Loop loop;
  Fd stirs, comes;
  auto begin = [&] {
    stirs = sys::watch_file(path); // before it is read, so that nothing is missed in between
    give(log.tail(query.lines));
    loop.watch(stirs.get(), [&] {
      sys::drain_events(stirs.get());
      give_new();
    });
  };
  // A log is made with the first that it gets, and the log's level may let nothing through.
  comes = sys::watch_dir(places.dir);
  auto look = [&] {
    sys::drain_events(comes.get());
    if (!sys::exists(path)) return;
    loop.forget(comes.get());
    begin();
  };
  loop.watch(comes.get(), look);
  look();
  if (query.reader >= 0) loop.watch_hangup(query.reader, [&] { loop.stop(); });
  VmEnd end(loop, places, vm, [&] { loop.stop(); });
  loop.run();
  if (stirs) give_new();
}

} // namespace banger::ops
