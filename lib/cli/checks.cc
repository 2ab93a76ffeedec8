#include "cli/checks.h"

#include <algorithm>

#include <nlohmann/json.hpp>
#include <unistd.h>

#include "cli/layout.h"
#include "cli/terminal.h"
#include "core/text.h"

namespace banger::cli {

void CheckPrinter::add(const std::string& id, std::string_view status, const std::string& found,
                       const std::string& fix) {
  any_missing_ = any_missing_ || status == "missing";
  if (app_.out.json) {
    app_.out.object("check", {{"id", id},
                              {"status", status},
                              {"found", found},
                              {"fix", fix.empty() ? Json() : Json(fix)}});
  } else if (app_.out.quiet) {
    if (status != "ok") app_.out.line(id);
  } else {
    rows_.push_back(
        {id, std::string(status), escape_for_terminal(found), escape_for_terminal(fix)});
  }
}

int CheckPrinter::finish() {
  size_t width = 5; // "CHECK"
  for (const Row& r : rows_) width = std::max(width, r.id.size());
  size_t indent = width + 2 + 7 + 2; // "missing" is the longest status
  size_t columns = output_width();
  if (!rows_.empty()) app_.out.line(fmt::format("{:<{}}  STATUS   FOUND", "CHECK", width));
  for (const Row& r : rows_) {
    // A fix is a command or two: never broken, so that it can be copied.
    app_.out.line(
        fmt::format("{:<{}}  {:<7}  {}", r.id, width, r.status, wrapped(r.found, columns, indent)));
    for (const std::string& fix : split(r.fix, '\n'))
      if (!fix.empty()) app_.out.line(fmt::format("{:{}}fix: {}", "", indent, fix));
  }
  return any_missing_ ? exit_status(Code::preflight) : 0;
}

} // namespace banger::cli
