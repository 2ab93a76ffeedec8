// The place of one bundle build: a temporary directory beside what it makes, a log of what the
// programs it runs say, progress. For the files of this room that build.
//
// The directory is removed with the Work. The programs end with it, however it ends, with all that
// they started; SIGINT, SIGTERM and SIGHUP end the build where it next waits or looks, by
// unwinding, and then the process. The next build removes a killed one's directory: it holds the
// bundle's lock and so knows that it is not in use. `doctor --leaks` tells of it until then.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/handle.h"
#include "core/log.h"
#include "sys/process.h"
#include "sys/signals.h"

namespace banger::bundle {

using OnStage = std::function<void(std::string_view)>;

class BundleWork {
public:
  // In the bundle directory `out`, which exists; begins a new build.log there.
  BundleWork(const std::string& out, Log& log, OnStage on_stage);
  ~BundleWork();
  BundleWork(const BundleWork&) = delete;
  BundleWork& operator=(const BundleWork&) = delete;

  // Removes the directories of builds that died in `out`.
  static void remove_stale(const std::string& out);

  std::string path(std::string_view name) const { return dir_ + "/" + std::string(name); }
  const std::string& log_path() const { return log_path_; }

  // Tells people, the log file and the structured log what begins now.
  void stage(std::string_view what);
  // Runs a program to its end; its output goes to the log. Anything but status 0 is Error(failed)
  // with its last words and the log's path.
  void run(const sys::Command& command, int in = -1);
  // The same for a program that runs while this process goes on.
  sys::Child start(sys::Command command, int in, int out);
  void finish(sys::Child& child, const std::string& program);
  // Where work takes long without waiting for a program: throws when the build is to end.
  static void look_up() { sys::throw_if_interrupted(); }

private:
  sys::Signals signals_{SIGINT, SIGTERM, SIGHUP}; // first: the last to go
  std::string dir_, log_path_;
  Fd log_file_;
  Log& log_;
  OnStage on_stage_;
  std::string stage_;
  SteadyTime stage_start_{};
  void end_stage();
};

// Where mke2fs and its like are: PATH, or /usr/sbin and /sbin, which a user's PATH lacks.
std::optional<std::string> find_system_program(const std::string& name);

} // namespace banger::bundle
