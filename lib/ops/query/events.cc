#include "ops/query/events.h"

#include <algorithm>

#include "core/error.h"
#include "state/state.h"
#include "state/watch.h"
#include "sys/file.h"

namespace banger::ops {

namespace {

// Until the state exists: until something comes in the nearest directory that does. False when the
// reader has left.
bool await_state(const Dirs& dirs, int reader) {
  bool is_read = true;
  while (is_read && state::State::open(dirs, state::Mode::read).is_absent()) {
    std::string dir = dirs.state;
    while (dir.size() > 1 && !sys::exists(dir))
      dir.resize(std::max<size_t>(dir.find_last_of('/'), 1));
    sys::Loop loop;
    Fd stirs = sys::watch_dir(dir);
    loop.watch(stirs.get(), [&] { loop.stop(); });
    // For a file that came between the look and the watch, or has to be filled still.
    loop.after(Millis(1000), [&] { loop.stop(); });
    if (reader >= 0) loop.watch_hangup(reader, [&] { is_read = false, loop.stop(); });
    loop.run();
  }
  return is_read;
}

// The names to compare with: an id prefix becomes its VM's name.
std::vector<std::string> names_of(state::State& state, const std::vector<std::string>& refs) {
  std::vector<std::string> names;
  for (const std::string& ref : refs) {
    auto vm = state.find_vm(ref);
    names.push_back(vm ? vm->name : ref);
  }
  return names;
}

class EventReader {
public:
  EventReader(state::State& state, std::vector<std::string> names)
      : state_(state), names_(std::move(names)) {}

  // Those not given yet.
  std::vector<Event> next() {
    constexpr int batch = 1000;
    std::vector<Event> all;
    for (;;) {
      std::vector<Event> some = state_.events(seen_, {}, batch);
      if (some.empty()) return all;
      seen_ = some.back().seq;
      for (Event& e : some)
        if (names_.empty() || std::find(names_.begin(), names_.end(), e.vm) != names_.end())
          all.push_back(std::move(e));
      if (some.size() < batch) return all;
    }
  }

private:
  state::State& state_;
  std::vector<std::string> names_;
  int64_t seen_ = 0;
};

} // namespace

void read_events(const Dirs& dirs, const EventQuery& query,
                 const std::function<void(std::span<const Event>)>& give) {
  if (query.follow && !await_state(dirs, query.reader)) return;
  auto state = state::State::open(dirs, state::Mode::read);
  EventReader reader(state, names_of(state, query.vms));
  sys::Loop loop;
  std::optional<state::StateWatch> watch;
  if (query.follow) watch.emplace(loop, dirs, state, [&] { give(reader.next()); });

  std::vector<Event> kept = reader.next();
  if (!query.follow)
    for (const std::string& name : query.vms)
      if (!state.find_vm(name) &&
          std::none_of(kept.begin(), kept.end(), [&](const Event& e) { return e.vm == name; }))
        state.get_vm(name); // throws not_found with what may have been meant
  std::span<const Event> shown(kept);
  if (query.last && *query.last < kept.size()) shown = shown.last(*query.last);
  give(shown);
  if (!query.follow) return;
  if (query.reader >= 0) loop.watch_hangup(query.reader, [&] { loop.stop(); });
  loop.run();
}

} // namespace banger::ops
