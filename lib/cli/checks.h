// Checks of a host as people and pipelines get them: a table, at a terminal as wide as that, with
// what mends a thing below it; or `check` objects.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/app.h"

namespace banger::cli {

class CheckPrinter {
public:
  explicit CheckPrinter(App& app) : app_(app) {}
  // `status` is ok, warn or missing; `fix` the command that mends it, empty when ok.
  void add(const std::string& id, std::string_view status, const std::string& found,
           const std::string& fix);
  // Prints what people get; gives 5 if anything is missing, else 0.
  int finish();

private:
  App& app_;
  bool any_missing_ = false;
  struct Row {
    std::string id, status, found, fix;
  };
  std::vector<Row> rows_;
};

} // namespace banger::cli
