// For verbs that act on several things: one result each, one after another or side by side.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "cli/app.h"

namespace banger::cli {

// The outcome of one thing.
struct Outcome {
  std::string name;
  Done done;
  double seconds = 0;
  std::optional<Error> error = {};
};

// Prints an outcome as App::for_each says, whole and at once, and its error once. The status of an
// error goes into `statuses`.
void tell(App& app, std::string_view verb, Outcome outcome, std::set<int>& statuses);

// App::for_each with up to `jobs` things at work at once. A result is printed when it is there, so
// they come in the order in which they end. `make_act` is called in each thread, once and when it
// is needed; its Act is used by that thread alone (a State and a Log are not thread safe).
// `printing` is held whenever something is printed, so that acts can print through it as well. One
// thing, or one job, is done in the caller's thread.
int for_each_beside(App& app, std::string_view verb, const std::vector<std::string>& names,
                    size_t jobs, const std::function<Act()>& make_act, std::mutex& printing);

// How many at once keep this machine busy and no more.
size_t usual_jobs();

} // namespace banger::cli
