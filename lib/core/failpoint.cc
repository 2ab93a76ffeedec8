#include "core/failpoint.h"

#ifdef BANGER_FAILPOINTS

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <string>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"
#include "core/text.h"
#include "core/units.h"

namespace banger {

namespace {

struct Plan {
  std::string name;
  int64_t pass = 1;
  std::string action;
  std::string trace;
};

// Read once a process: the environment does not change under it.
Plan read_plan() {
  Plan plan;
  const char* spec = std::getenv("BANGER_FAILPOINT");
  const char* trace = std::getenv("BANGER_FAILPOINT_TRACE");
  if (!spec && !trace) return plan;
  std::string comm(program_invocation_short_name);
  if (const char* only = std::getenv("BANGER_FAILPOINT_IN"); only && comm != only) return plan;
  if (trace) plan.trace = trace;
  struct stat st {};
  if (trace && ::stat(trace, &st) == 0 && S_ISDIR(st.st_mode)) plan.trace += "/" + comm;
  if (!spec) return plan;
  auto parts = split(spec, ':');
  auto bad = [&] { return usage("invalid BANGER_FAILPOINT '{}': NAME[#N]:ACTION", spec); };
  if (parts.size() != 2) throw bad();
  plan.action = parts[1];
  auto name = split(parts[0], '#');
  plan.name = name[0];
  if (name.size() > 1) plan.pass = parse_number("failpoint pass", name[1], 1, 1'000'000);
  bool known = false;
  for (const auto& p : failpoint_names) known = known || p.name == plan.name;
  if (!known) throw bad();
  return plan;
}

} // namespace

void failpoint(Point point) {
  static const Plan plan = read_plan();
  if (plan.name.empty() && plan.trace.empty()) return;
  std::string_view name = failpoint_names[static_cast<size_t>(point)].name;
  if (!plan.trace.empty()) {
    int fd = ::open(plan.trace.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0) {
      std::string line = fmt::format("{}\n", name);
      [[maybe_unused]] auto n = ::write(fd, line.data(), line.size());
      ::close(fd);
    }
  }
  static std::atomic<int64_t> passed = 0; // of all threads
  if (name != plan.name || ++passed != plan.pass) return;
  if (plan.action == "kill") {
    ::kill(::getpid(), SIGKILL);
    ::pause();
  }
  if (plan.action == "enospc") throw sys_error(ENOSPC, "failpoint '{}'", name);
  if (plan.action == "eio") throw sys_error(EIO, "failpoint '{}'", name);
  if (plan.action == "emfile") throw sys_error(EMFILE, "failpoint '{}'", name);
  if (plan.action.starts_with("sleep=")) {
    int64_t ms = parse_number("failpoint sleep", plan.action.substr(6), 0, 600'000);
    timespec ts{ms / 1000, ms % 1000 * 1'000'000};
    ::nanosleep(&ts, nullptr);
    return;
  }
  throw usage("invalid BANGER_FAILPOINT action '{}'", plan.action);
}

} // namespace banger

#endif
