#include "ops/query/guest_memory.h"

#include <memory>

#include "core/error.h"
#include "ops/common/places.h"
#include "ops/link/client.h"

namespace banger::ops {

namespace {

constexpr Millis time_to_connect{100}, time_to_answer{1'000};

bool can_be(const vmm::GuestMemory& m, int64_t size) {
  return m.total > 0 && m.total <= size && m.free >= 0 && m.free <= m.total && m.available >= 0 &&
         m.available <= m.total;
}

} // namespace

std::map<std::string, ToldByMonitor> ask_monitors(const Dirs& dirs, const std::string& tag,
                                                  const std::vector<Vm>& vms) {
  std::map<std::string, ToldByMonitor> all;
  sys::Loop loop;
  std::vector<std::unique_ptr<Client>> clients;
  size_t open = 0;
  for (const Vm& vm : vms) {
    if (vm.state != VmState::running) continue;
    try {
      clients.push_back(std::make_unique<Client>(
          loop, connect_monitor(places_of(dirs, tag, vm), vm, time_to_connect)));
    } catch (const Error&) { // it has ended since
      continue;
    }
    open += 2;
    clients.back()->ask({"memory"}, {time_to_answer}, [&, id = vm.id, size = vm.memory](auto told) {
      if (told && told->memory && can_be(*told->memory, size)) all[id].memory = *told->memory;
      if (--open == 0) loop.stop();
    });
    clients.back()->ask({"counters"}, {time_to_answer}, [&, id = vm.id](auto told) {
      if (told && told->counters) all[id].counters = std::move(told->counters);
      if (--open == 0) loop.stop();
    });
  }
  if (open > 0) loop.run();
  return all;
}

} // namespace banger::ops
