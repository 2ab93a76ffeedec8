#include <nlohmann/json.hpp>

#include "banger-vm/selection.h"
#include "banger-vm/verbs.h"
#include "banger-vm/watch.h"
#include "cli/app.h"
#include "cli/terminal.h"
#include "ops/common/open.h"
#include "ops/query/stats.h"

namespace banger::tool {

namespace {

// Between the two looks of a single call: cpu use needs two.
constexpr Millis first_interval{250};

template <typename T, typename F>
std::string cell(const std::optional<T>& value, F&& shown) {
  return value ? shown(*value) : "-";
}

cli::Table table_of(const std::vector<ops::VmStats>& all) {
  cli::Table table({{"NAME"},
                    {.title = "STATE", .goes = 5},
                    {"CPU%", true},
                    {.title = "CPU TIME", .right = true, .goes = 4},
                    {.title = "RSS", .right = true, .goes = 1},
                    {.title = "PSS", .right = true, .goes = 6},
                    {.title = "GUEST FREE", .right = true, .goes = 7},
                    {.title = "DISK", .right = true, .goes = 2},
                    {.title = "NET IN/OUT", .right = true, .goes = 3}});
  for (const ops::VmStats& s : all) {
    std::optional<int64_t> pss;
    if (s.usage) pss = s.usage->pss;
    table.row(
        {s.vm.name, std::string(name_of(s.vm.state)),
         cell(s.cpu_percent, [](double p) { return fmt::format("{:.1f}", p); }),
         cell(s.usage,
              [](const auto& u) {
                return format_duration(Seconds(static_cast<double>(u.cpu_ns) / 1e9));
              }),
         cell(s.usage, [](const auto& u) { return format_size(u.rss); }), cell(pss, format_size),
         cell(s.guest, [](const auto& g) { return format_size(g.available); }),
         format_size(s.disk.root.value_or(0) + s.disk.work.value_or(0)),
         cell(s.net,
              [](const auto& n) { return format_size(n.received) + "/" + format_size(n.sent); })});
  }
  return table;
}

struct Stats : cli::Verb {
  Selection which;
  Watch watch;

  void declare(cli::Spec& spec) override {
    which.declare(spec, "VM to look at");
    watch.declare(spec, "show them again every --interval");
  }

  int run(cli::App& app) override {
    ops::VmQuery query = which.query_or_all();
    // Without a choice: those that use something.
    if (which.is_empty())
      query.states = {VmState::starting, VmState::running, VmState::paused, VmState::stopping};
    ops::Reading in(app.settings, app.dirs);
    ops::Sampler sampler(in, query);
    std::vector<std::string> unknown;
    std::set<int> failures;
    auto before = sampler.sample_host(unknown);
    for (const std::string& ref : unknown) failures.insert(report_unknown(app, in, ref));
    if (!before.empty()) ops::pause_unless_unread(first_interval, cli::pipe_of_stdout());
    int status = watch.run(app, [&] {
      auto all = sampler.sample(unknown);
      if (app.out.json)
        for (const ops::VmStats& s : all) app.out.object("stats", to_json(s));
      else if (app.out.quiet)
        for (const ops::VmStats& s : all) app.out.line(s.vm.name);
      else if (!all.empty() || watch.watch)
        return table_of(all).text(cli::output_width());
      else if (failures.empty())
        app.notice("no VM runs");
      return std::string();
    });
    return status ? status : cli::common_status(failures);
  }
};

} // namespace

std::unique_ptr<cli::Verb> make_stats() { return std::make_unique<Stats>(); }

} // namespace banger::tool
