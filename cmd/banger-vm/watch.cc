#include "banger-vm/watch.h"

#include "cli/terminal.h"
#include "ops/query/stats.h"

namespace banger::tool {

void Watch::declare(cli::Spec& spec, const std::string& what) {
  spec.options.insert(spec.options.end(),
                      {{.flags = "-w,--watch", .help = what, .target = &watch},
                       {.flags = "--interval",
                        .value = "DURATION",
                        .help = "with --watch, how often",
                        .fallback = "2s",
                        .target = {cli::Duration{.least = Millis(100)}, &interval}}});
}

int Watch::run(cli::App& app, const std::function<std::string()>& look) const {
  do {
    std::string text = look();
    if (!text.empty()) app.out.bytes(watch ? cli::repaint(1, text) : text);
    app.out.flush();
  } while (watch && ops::pause_unless_unread(interval, cli::pipe_of_stdout()));
  return 0;
}

} // namespace banger::tool
