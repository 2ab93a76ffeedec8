// libexec/banger/banger-monitor NAME: the monitor of one VM (ops/monitor/monitor.h).
//
// Started by banger-vm with its request on descriptor 3; not for people. The name is there for ps.
#include <cstdio>

#include "core/error.h"
#include "ops/common/open.h"
#include "ops/monitor/monitor.h"
#include "vmm/drivers.h"

namespace {

using namespace banger;

int monitor() {
  Fd verb(ops::request_fd);
  sys::LineReader lines(verb.get());
  auto line = lines.next(Millis(10'000));
  if (!line) throw usage("no request on descriptor {}", ops::request_fd);
  ops::MonitorRequest request = ops::parse_monitor_request(*line);

  Settings settings = request.settings;
  Dirs dirs;
  dirs.state = request.state_dir;
  dirs.runtime = request.runtime_root;
  dirs.libexec = request.libexec_dir;
  Log log(dirs.vm_file(request.vm, "lifecycle.jsonl"), parse_level(request.log_level), request.op,
          Log::Directory::given);
  ops::Opened ctx(settings, dirs, log);
  auto driver = vmm::driver(request.vmm, request.vmm_binary);
  return ops::Monitor(ctx, std::move(request), *driver, std::move(verb)).run();
}

} // namespace

int main(int argc, char** argv) {
  if (argc != 2 || argv[1][0] == '-') {
    std::fputs("banger-monitor is started by banger-vm; see banger vm start --help\n", stderr);
    return argc == 2 && std::string_view(argv[1]) == "--help" ? 0 : 2;
  }
  try {
    return monitor();
  } catch (const Error& e) {
    // Goes to the VM's VMM log, whose path errors of `start` name.
    std::fprintf(stderr, "banger-monitor: %s\n", e.what());
    return exit_status(e.code());
  } catch (const std::exception& e) {
    std::fprintf(stderr, "banger-monitor: %s\n", e.what());
    return 1;
  }
}
