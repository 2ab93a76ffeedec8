// banger ssh cp
#include <cerrno>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "banger-ssh/verbs.h"
#include "cli/app.h"
#include "core/text.h"
#include "core/units.h"
#include "ops/common/open.h"
#include "ops/ssh/copy.h"

namespace banger::tool {

namespace {

// What a source is called in the directory that it comes to; empty where only its content comes.
std::string own_name(const ops::CopyPlace& place) {
  std::string path = place.path;
  while (path.ends_with('/')) path.pop_back();
  std::string name = path.substr(path.rfind('/') + 1);
  return place.is_stream() || name == "." || name == ".." ? "" : name;
}

struct Cp : cli::Verb {
  bool deep = false;
  std::vector<std::string> sources;
  std::string target;

  void declare(cli::Spec& spec) override {
    using cli::Complete;
    spec.options = {{.flags = "-r,--recursive",
                     .help = "copy directories and all below them",
                     .target = &deep}};
    spec.operands = {{.name = "SRC",
                      .help = "what is copied: a path here, NAME:PATH in a VM, or -",
                      .complete = Complete::files,
                      .target = &sources},
                     {.name = "DST",
                      .help = "where it goes: a path here, NAME:PATH in a VM, or -",
                      .complete = Complete::files,
                      .target = &target}};
  }

  int run(cli::App& app) override {
    auto to = ops::parse_copy_place(target);
    std::vector<ops::CopyPlace> from;
    for (const auto& word : sources) from.push_back(ops::parse_copy_place(word));
    if (to.is_stream() && from.size() > 1) throw usage("only one file can go to standard output");
    require_distinct(from);
    ops::Reading in(app.settings, app.dirs);
    cli::Progress progress(app.progress);
    std::set<int> statuses;
    for (size_t i = 0; i < from.size(); i++) {
      auto begun = steady_now();
      std::optional<Error> error;
      try {
        copy(app, in, from[i], to, sources[i], progress);
      } catch (const Error& e) {
        if (e.error_number() == EPIPE) throw cli::OutputClosed();
        error = e;
        error->default_subject(sources[i]);
      }
      // Nothing but the data goes to standard output.
      if (app.out.json && !to.is_stream())
        app.out.object("result", cli::result_json("cp", sources[i], {},
                                                  Seconds(steady_now() - begun).count(), error));
      app.out.push(); // each result as soon as it is there
      if (!error) continue;
      statuses.insert(exit_status(error->code()));
      cli::report(app.tool(), *error, app.out.json);
    }
    return cli::common_status(statuses);
  }

  // The second of two would be written over the first.
  void require_distinct(const std::vector<ops::CopyPlace>& from) const {
    std::map<std::string, std::string> seen; // names, and whose
    for (size_t i = 0; i < from.size(); i++) {
      std::string name = own_name(from[i]);
      if (name.empty()) continue;
      auto [first, is_new] = seen.emplace(name, sources[i]);
      if (!is_new)
        throw usage("'{}' and '{}' would both become '{}'", escape_for_terminal(first->second),
                    escape_for_terminal(sources[i]), escape_for_terminal(name))
            .subject(sources[i])
            .hint("nothing was copied; copy them one by one, under other names");
    }
  }

  void copy(cli::App& app, ops::Reader& in, const ops::CopyPlace& from, const ops::CopyPlace& to,
            const std::string& what, cli::Progress& progress) const {
    auto moved = [&](const ops::CopyTotals* totals) {
      if (!totals) return progress.done();
      progress.stage(what, format_size(totals->bytes));
    };
    auto totals = ops::ssh_copy(in, from, to, {deep, sources.size() > 1}, moved);
    if (totals.left_out > 0)
      app.notice(
          fmt::format("'{}': {} devices, sockets or FIFOs were left out", what, totals.left_out));
    if (totals.apart.empty()) return;
    std::string places;
    for (const auto& place : totals.apart) places += (places.empty() ? "" : ", ") + place;
    app.notice(
        fmt::format("'{}': left out what a kernel tells in {}", what, escape_for_terminal(places)));
  }
};

} // namespace

std::unique_ptr<cli::Verb> make_cp() { return std::make_unique<Cp>(); }

} // namespace banger::tool
