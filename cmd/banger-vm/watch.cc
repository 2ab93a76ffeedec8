#include "banger-vm/watch.h"

#include "cli/terminal.h"
#include "ops/query/stats.h"

namespace banger::vm {

void Watch::declare(cli::Spec& spec, const std::string& what) {
  spec.options.insert(
      spec.options.end(),
      {{"-w,--watch", "", what, "", {}, {}, &watch},
       {"--interval", "DURATION", "with --watch, how often", "2s", {}, {}, &interval}});
}

Millis Watch::pause() const {
  if (!interval) return Millis(2000);
  Millis wanted = parse_duration("interval", *interval);
  if (wanted < Millis(100)) throw usage("invalid interval '{}': it is under 100ms", *interval);
  return wanted;
}

int Watch::run(cli::App& app, const std::function<std::string()>& look) const {
  Millis wait = pause();
  do {
    std::string text = look();
    if (!text.empty()) app.out.bytes(watch ? cli::repaint(1, text) : text);
    app.out.flush();
  } while (watch && ops::pause_unless_unread(wait, cli::pipe_of_stdout()));
  return 0;
}

} // namespace banger::vm
