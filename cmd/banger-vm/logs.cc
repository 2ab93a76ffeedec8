#include <algorithm>
#include <functional>
#include <utility>

#include <nlohmann/json.hpp>

#include "banger-vm/verbs.h"
#include "cli/app.h"
#include "cli/terminal.h"
#include "cli/terminal_text.h"
#include "ops/common/open.h"
#include "ops/query/logs.h"

namespace banger::tool {

namespace {

// Lines of a log as objects. A guest that never ends its line gets it cut.
class LogLines {
public:
  using Give = std::function<void(std::string_view line)>;
  explicit LogLines(Give give) : give_(std::move(give)) {}

  void feed(std::string_view text) {
    while (!text.empty()) {
      if (part_.size() == much && text.front() != '\n') finish();
      size_t take = std::min(text.find('\n'), std::min(text.size(), much - part_.size()));
      part_ += text.substr(0, take);
      text.remove_prefix(take);
      if (!text.starts_with('\n')) continue;
      text.remove_prefix(1);
      finish();
    }
  }
  void finish() {
    std::string line = std::exchange(part_, {});
    while (line.ends_with('\r')) line.pop_back();
    give_(line);
  }
  void rest() {
    if (!part_.empty()) finish();
  }

private:
  static constexpr size_t much = size_t{64} << 10;
  Give give_;
  std::string part_;
};

struct Logs : cli::Verb {
  std::string name;
  std::optional<size_t> lines;
  std::string which = "console";
  bool follow = false;

  void declare(cli::Spec& spec) override {
    spec.options = {{.flags = "--log",
                     .value = "LOG",
                     .help = "which log to print",
                     .fallback = "console",
                     .target = {cli::one_of({"console", "vmm", "lifecycle"}), &which}},
                    {.flags = "-n,--lines",
                     .value = "N",
                     .help = "only the last N lines",
                     .fallback = "all",
                     .target = {cli::Number{1, 1'000'000}, &lines}},
                    {.flags = "-f,--follow",
                     .help = "go on with new lines as they come, until the VM has ended",
                     .target = &follow}};
    spec.operands = {{.name = "NAME",
                      .help = "VM whose log to print",
                      .complete = cli::Complete::vms,
                      .target = &name}};
  }

  int run(cli::App& app) override {
    ops::LogQuery query;
    if (lines) query.lines = *lines;
    query.which = which == "vmm"         ? ops::VmLog::vmm
                  : which == "lifecycle" ? ops::VmLog::lifecycle
                                         : ops::VmLog::console;
    query.follow = follow;
    query.reader = cli::pipe_of_stdout();
    ops::Reading in(app.settings, app.dirs);
    if (app.out.json) {
      std::string vm = in.state.get_vm(name).name;
      LogLines objects([&](std::string_view text) {
        app.out.object("log", cli::Json{{"vm", vm}, {"log", which}, {"text", text}});
      });
      ops::read_log(in, name, query, [&](std::string_view text) {
        objects.feed(text);
        app.out.flush();
      });
      objects.rest();
      return 0;
    }
    // Into a file or a pipe as it was written; at a terminal a guest's escapes stay harmless.
    bool escape = cli::stdout_is_terminal();
    cli::TerminalText shown;
    ops::read_log(in, name, query, [&](std::string_view text) {
      app.out.bytes(escape ? shown.feed(text) : text);
      app.out.flush();
    });
    if (escape) app.out.bytes(shown.rest());
    return 0;
  }
};

} // namespace

std::unique_ptr<cli::Verb> make_logs() { return std::make_unique<Logs>(); }

} // namespace banger::tool
