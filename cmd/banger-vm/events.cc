#include <algorithm>

#include <nlohmann/json.hpp>

#include "banger-vm/verbs.h"
#include "cli/app.h"
#include "cli/layout.h"
#include "cli/terminal.h"
#include "core/text.h"
#include "model/wire.h"
#include "ops/query/events.h"

namespace banger::tool {

namespace {

std::string shown(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  return value.is_number_float() ? fmt::format("{:.3f}", value.get<double>()) : value.dump();
}

// {"reason":"killed","pid":7} as " reason=killed pid=7".
std::string words_of(const std::string& detail) {
  Json j = Json::parse(detail, nullptr, false);
  std::string out;
  if (j.is_object())
    for (const auto& [key, value] : j.items())
      if (std::string text = shown(value); !text.empty()) out += fmt::format(" {}={}", key, text);
  return out;
}

// One line. At a terminal no longer than that is wide, and a long name or the year leaves room for
// what happened.
std::string line_of(const Event& e, size_t columns) {
  std::string time = to_rfc3339(e.time).substr(0, 19) + "Z";
  if (columns > 0 && columns < 60) time = time.substr(5, 11); // "11-28T19:31"
  std::string vm = e.vm.empty() ? "-" : e.vm;
  if (columns > 0) vm = cli::cut(vm, std::max<size_t>(10, columns / 4));
  std::string line = cli::on_one_line(
      escape_for_terminal(fmt::format("{}  {:<10}  {}{}", time, vm, e.type, words_of(e.detail))));
  return columns > 0 ? cli::cut_end(line, columns) : line;
}

struct Events : cli::Verb {
  std::vector<std::string> names;
  std::optional<size_t> lines;
  bool follow = false;

  void declare(cli::Spec& spec) override {
    spec.options = {
        {.flags = "-f,--follow", .help = "go on with new events as they come", .target = &follow},
        {.flags = "-n,--lines",
         .value = "N",
         .help = "print only the last N events that are kept (0: none of them)",
         .fallback = "all",
         .target = {cli::Number{0, 1'000'000}, &lines}}};
    spec.operands = {{.name = "NAME",
                      .help = "only events of these VMs, removed ones too; - reads names "
                              "from standard input",
                      .required = false,
                      .complete = cli::Complete::vms,
                      .target = &names}};
  }

  int run(cli::App& app) override {
    ops::EventQuery query;
    query.follow = follow;
    query.reader = cli::pipe_of_stdout();
    if (lines) query.last = lines;
    if (!names.empty()) {
      query.vms = cli::read_names(names);
      if (query.vms.empty()) return 0;
    }
    size_t columns = cli::output_width();
    ops::read_events(app.dirs, query, [&](std::span<const Event> events) {
      for (const Event& e : events) {
        if (app.out.json)
          app.out.object("event", to_json(e));
        else if (app.out.quiet)
          app.out.line(e.vm);
        else
          app.out.line(line_of(e, columns));
      }
      app.out.flush();
    });
    return 0;
  }
};

} // namespace

std::unique_ptr<cli::Verb> make_events() { return std::make_unique<Events>(); }

} // namespace banger::tool
