// Puts a VM into a state by its row alone, for tests of programs that speak with a guest: the guest
// is then a real ssh server on the row's address.
//
//   banger-test-vm STATE_DIR add NAME                         prints the address that it was given
//   banger-test-vm STATE_DIR run NAME STATE PORT PID HOST_KEY PID stands for the VMM; HOST_KEY is
//                                                             "ssh-ed25519 AAAA…"
//   banger-test-vm STATE_DIR live NAME STATE PID              PID stands for the VMM; 0: none runs
//   banger-test-vm STATE_DIR flip NAME PID PORT COUNT         lets it run and stop, COUNT times,
//   and
//                                                             asks the DNS at 127.0.0.1:PORT after
//                                                             each; prints how often that was wrong
#include <cstdio>

#include "core/error.h"
#include "dns/lookup.h"
#include "guest/identity/known_hosts.h"
#include "state/state.h"
#include "sys/proc.h"

using namespace banger;

namespace {

// It must outlive processes, but no power cut: the disk is not waited for.
void live(state::State& state, const std::string& id, VmState vm_state, int pid) {
  state.change_vm(
      id,
      [&](Vm& v) {
        v.state = vm_state;
        v.run.reset();
        if (pid > 0) v.run.emplace().vmm = sys::find_process(pid).value();
      },
      Outlives::process);
}

int flip(state::State& state, const Vm& vm, int pid, int port, int count) {
  int wrong = 0;
  dns::Name name = dns::parse_name(vm.name + ".vm");
  for (int i = 0; i < count; i++) {
    bool runs = i % 2 == 0;
    live(state, vm.id, runs ? VmState::running : VmState::stopped, runs ? pid : 0);
    auto reply = dns::look_up("127.0.0.1", port, name, dns::Type::a, Millis(30'000));
    bool right = runs ? reply.answer.size() == 1 && reply.answer[0].data == vm.reach
                      : reply.rcode == dns::Rcode::nxdomain;
    if (!right) wrong++;
  }
  std::printf("%d\n", wrong);
  return 0;
}

int act(const std::vector<std::string>& words) {
  Dirs dirs;
  dirs.state = words.at(0);
  auto state = state::State::open(dirs, state::Mode::write);
  const std::string& verb = words.at(1);
  const std::string& name = words.at(2);
  if (verb == "add") {
    auto image = state.find_image("test");
    if (!image) {
      Image made;
      made.id = new_id();
      made.name = "test";
      made.ready = true;
      made.size = 1 << 20;
      made.created = wall_now();
      image = state.add_image(made);
    }
    Vm vm;
    vm.image_id = image->id;
    vm.image_name = image->name;
    vm.memory = int64_t{128} << 20;
    vm.root_size = image->size;
    vm.address = "10.0.2.15";
    vm.gateway = "10.0.2.2";
    vm.mac = "52:54:00:00:00:01";
    vm.created = wall_now();
    vm.id = new_id();
    vm.name = name;
    vm.state = VmState::stopped;
    std::puts(state.add_vm(vm).reach.c_str());
    return 0;
  }
  if (verb == "live") {
    live(state, state.get_vm(name).id, parse_vm_state(words.at(3)), std::stoi(words.at(4)));
    return 0;
  }
  if (verb == "flip")
    return flip(state, state.get_vm(name), std::stoi(words.at(3)), std::stoi(words.at(4)),
                std::stoi(words.at(5)));
  Vm vm = state.change_vm(state.get_vm(name).id, [&](Vm& v) {
    v.state = parse_vm_state(words.at(3));
    v.ssh_port = std::stoi(words.at(4));
    v.run.emplace().vmm = sys::find_process(std::stoi(words.at(5))).value_or(ProcessId{});
  });
  guest::set_known_host(dirs.keys(), {name + ".vm", vm.reach, vm.ssh_port, words.at(6)});
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  try {
    return act({argv + 1, argv + argc});
  } catch (const std::exception& e) {
    std::fprintf(stderr, "banger-test-vm: %s\n", e.what());
    return 1;
  }
}
