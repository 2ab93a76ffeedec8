// Makes a monitor's requests for Firecracker, to the server that listens at DIR/api.sock.
//
//   banger-test-vmm-client DIR ACT…      boot            a machine with everything that one can
//   have
//                                        boot-bare       a machine with only its necessary parts
//                                        load            one that goes on from its memory
//                                        knock pause resume save look memory counters
//                                        boot-limited limit unlimit
//
// Each act must be done before the next begins; prints "ACT: done", or its error, with the seconds
// that it took, and ends with status 1 at an error.
#include <cstdio>

#include "core/clock.h"
#include "vmm/firecracker.h"

using namespace banger;

namespace {

vmm::Machine bare() {
  vmm::Machine m;
  m.name = "bare";
  m.accel = Accel::kvm;
  m.memory = int64_t{64} << 20;
  m.command_line = "console=ttyS0";
  return m;
}

vmm::Machine full() {
  vmm::Machine m = bare();
  m.name = "full";
  m.cpus = 32;
  m.memory = int64_t{4} << 30;
  m.command_line = vmm::kernel_command_line(Accel::kvm, 0);
  m.disks = {{vmm::root_file, true}, {vmm::upper_file, false}, {vmm::work_file, false}};
  m.mac = vmm::mac_of("0123456789ab");
  m.net = vmm::TapNet{"bngab12-3", 65520};
  return m;
}

vmm::Machine limited() {
  vmm::Machine m = full();
  for (vmm::Disk& d : m.disks) d.limit = {int64_t{20} << 20, 500};
  m.net_limit = {int64_t{1} << 20, 0};
  m.vsock = vmm::Vsock{3, {6, 1}};
  return m;
}

vmm::Machine saved() {
  vmm::Machine m = full();
  m.saved = ".";
  return m;
}

} // namespace

int main(int argc, char** argv) {
  sys::Loop loop;
  auto running = vmm::make_firecracker("firecracker")->attach(loop, argc > 1 ? argv[1] : ".", {});
  int status = 0;
  for (int i = 2; i < argc && status == 0; i++) {
    std::string act = argv[i];
    auto began = steady_now();
    auto tell = [&](std::optional<Error> fault) {
      double took = Seconds(steady_now() - began).count();
      std::printf("%s: %s (%.1f s)\n", act.c_str(), fault ? fault->what() : "done", took);
      status = fault ? 1 : 0;
      loop.stop();
    };
    if (act == "boot")
      running->boot(full(), tell);
    else if (act == "boot-bare")
      running->boot(bare(), tell);
    else if (act == "boot-limited")
      running->boot(limited(), tell);
    else if (act == "limit")
      running->limit(limited().disks, limited().net_limit, tell);
    else if (act == "unlimit")
      running->limit(full().disks, full().net_limit, tell);
    else if (act == "load")
      running->boot(saved(), tell);
    else if (act == "save")
      running->save("saved", tell);
    else if (act == "knock")
      running->knock(tell);
    else if (act == "pause")
      running->pause(tell);
    else if (act == "resume")
      running->resume(tell);
    else if (act == "memory")
      running->look_at_memory([&](const auto& memory) {
        if (memory)
          std::printf(
              "%s\n",
              fmt::format("{} {} {}", memory->total, memory->free, memory->available).c_str());
        tell(memory ? std::nullopt : std::optional(memory.error()));
      });
    else if (act == "counters")
      running->look_at_counters([&](const auto& counters) {
        for (const auto& d : counters ? counters->disks : std::vector<vmm::DiskCounters>())
          std::printf("%s\n", fmt::format("{} {} {} {} {} {} {}", d.name, d.read, d.written,
                                          d.reads, d.writes, d.flushes, d.errors)
                                  .c_str());
        if (counters && counters->net)
          std::printf("%s\n", fmt::format("net {} {} {}, exits {}", counters->net->received,
                                          counters->net->sent, counters->net->errors,
                                          counters->exits.value_or(-1))
                                  .c_str());
        tell(counters ? std::nullopt : std::optional(counters.error()));
      });
    else if (act == "look")
      running->look_whether_halted(
          [&](bool halted) { tell(halted ? std::nullopt : std::optional(failed("not halted"))); });
    else
      return std::fprintf(stderr, "banger-test-vmm-client: unknown act %s\n", act.c_str()), 2;
    loop.run();
  }
  return status;
}
