#include "bundle/work.h"

#include <fcntl.h>

#include <fmt/format.h>
#include <unistd.h>

#include "bundle/runtime_dir.h"
#include "core/error.h"
#include "core/text.h"
#include "core/units.h"
#include "sys/file.h"

namespace banger::bundle {

BundleWork::BundleWork(const std::string& out, Log& log, OnStage on_stage)
    : dir_(fmt::format("{}/{}{}", out, build_prefix, ::getpid())), log_path_(out + "/build.log"),
      log_(log), on_stage_(std::move(on_stage)) {
  log_file_ = sys::open_file(log_path_, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0644);
  sys::make_dir(dir_, 0755);
}

BundleWork::~BundleWork() {
  end_stage();
  try {
    sys::remove_tree(dir_);
  } catch (const Error&) {
    // The next build removes it.
  }
}

void BundleWork::remove_stale(const std::string& out) {
  for (const std::string& name : sys::list_dir(out)) {
    if (!name.starts_with(build_prefix)) continue;
    try {
      sys::remove_tree(out + "/" + name);
    } catch (const Error&) {
      // A program that the dead build started may write there for a moment yet; the name is not
      // used again as long as its process lives.
    }
  }
}

void BundleWork::end_stage() {
  if (!stage_.empty())
    log_.info("bundle.build.stage", {{"stage", std::string_view(stage_)},
                                     {"seconds", Seconds(steady_now() - stage_start_).count()}});
  stage_.clear();
}

void BundleWork::stage(std::string_view what) {
  look_up();
  end_stage();
  stage_ = what;
  stage_start_ = steady_now();
  sys::write_all(log_file_.get(), fmt::format("--- {}\n", what));
  if (on_stage_) on_stage_(what);
}

void BundleWork::run(const sys::Command& command, int in) {
  sys::Child child = start(command, in, log_file_.get());
  finish(child, command.argv.at(0));
}

sys::Child BundleWork::start(sys::Command command, int in, int out) {
  command.kept = true;
  std::vector<std::string> words;
  for (const std::string& word : command.argv) words.push_back(shell_quote(word));
  sys::write_all(log_file_.get(), fmt::format("+ {}\n", join(words, " ")));
  return sys::spawn(command, {.in = in, .out = out, .err = log_file_.get(), .more = {}});
}

void BundleWork::finish(sys::Child& child, const std::string& program) {
  sys::wait_or_interrupt(child.pidfd());
  sys::ExitStatus status = child.wait();
  if (status.ok()) return;
  std::string last(trim(last_lines(trim(sys::read_tail(log_path_, 4096)), 1)));
  throw failed("{} failed ({}): {}", program.substr(program.rfind('/') + 1), status.text(),
               escape_for_terminal(last))
      .log(log_path_);
}

std::optional<std::string> find_system_program(const std::string& name) {
  for (const char* dir : {"", "/usr/sbin/", "/sbin/"})
    if (auto found = sys::find_program(dir + name)) return found;
  return {};
}

} // namespace banger::bundle
