#include "cli/each.h"

#include <algorithm>
#include <csignal>
#include <thread>

#include <nlohmann/json.hpp>

#include "cli/layout.h"
#include "core/clock.h"
#include "core/text.h"
#include "core/units.h"

namespace banger::cli {

namespace {

// An exception of `act` becomes the outcome's error.
Outcome outcome_of(const std::string& name, const std::function<Done()>& act) {
  SteadyTime start = steady_now();
  Outcome o{name, {}};
  try {
    o.done = act();
    if (!o.done.name.empty()) o.name = o.done.name;
  } catch (const Error& e) {
    o.error = e;
  } catch (const std::exception& e) {
    o.error = failed("internal error: {}", e.what());
  }
  o.seconds = Seconds(steady_now() - start).count();
  return o;
}

// For people: "NAME: WHAT", a line for each line of what was done.
void say(Output& out, const std::string& name, const std::string& what) {
  for (const std::string& line : split(what, '\n'))
    out.line(on_one_line( // a stray file's name may be anything
        escape_for_terminal(line.empty() ? name : fmt::format("{}: {}", name, line))));
}

} // namespace

void tell(App& app, std::string_view verb, Outcome o, std::set<int>& statuses) {
  if (o.error) {
    o.error->default_subject(o.name);
    statuses.insert(exit_status(o.error->code()));
  }
  if (app.out.json)
    app.out.object("result", result_json(verb, o.name, o.done, o.seconds, o.error));
  else if (!o.error && app.out.quiet)
    app.out.line(o.name);
  else if (!o.error)
    say(app.out, o.name, o.done.said.empty() ? o.done.state : o.done.said);
  app.out.push(); // each result as soon as it is there; a failure to write never stops the others
  if (o.error) report(app.tool(), *o.error, app.out.json);
}

int App::for_each(std::string_view verb, const std::vector<std::string>& names, const Act& act) {
  std::set<int> statuses;
  for (const std::string& name : names)
    tell(*this, verb, outcome_of(name, [&] { return act(name); }), statuses);
  return common_status(statuses);
}

int for_each_beside(App& app, std::string_view verb, const std::vector<std::string>& names,
                    size_t jobs, const std::function<Act()>& make_act, std::mutex& printing) {
  std::set<int> statuses;
  size_t next = 0; // both under `printing`
  auto work = [&] {
    Act act;
    for (;;) {
      std::unique_lock lock(printing);
      if (next == names.size()) return;
      const std::string& name = names[next++];
      lock.unlock();
      Outcome o = outcome_of(name, [&] {
        if (!act) act = make_act();
        return act(name);
      });
      lock.lock();
      tell(app, verb, std::move(o), statuses);
    }
  };
  // Signals are for the first thread.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::vector<std::jthread> others;
  for (size_t i = 1; i < std::min(jobs, names.size()); i++) others.emplace_back(work);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  work();
  others.clear();
  return common_status(statuses);
}

size_t usual_jobs() {
  return std::clamp<size_t>(size_t{2} * std::thread::hardware_concurrency(), 4, 16);
}

} // namespace banger::cli
