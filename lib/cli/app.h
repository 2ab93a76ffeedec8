// What a running verb is given: settings, places, output, the log. Made by run_tool, one a process.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/log.h"
#include "model/settings.h"

namespace banger::cli {

using Json = nlohmann::ordered_json;

// A table for people: columns as wide as their widest cell, two spaces between, no trailing blanks.
// On a terminal it is cut to the terminal's width at the columns marked as shrinkable. Cells are
// escaped for the terminal by the table.
class Table {
public:
  struct Column {
    std::string title;
    bool right = false;  // numbers
    bool shrink = false; // may be cut, with '…'
  };
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  void row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  bool empty() const { return rows_.empty(); }
  // width 0: not cut.
  std::string text(size_t width) const;

private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// Standard output, and nothing but the result goes there.
class Output {
public:
  bool json = false, quiet = false;
  // One JSON line; adds "kind" and "v" in front.
  void object(std::string_view kind, const Json& fields);
  void line(std::string_view text);
  void table(const Table& table);
  // Flushes; throws Error when standard output could not be written (a full disk, a closed pipe).
  void flush();
};

// Progress for people on standard error: on a terminal one line that is redrawn with the elapsed
// time, shown only once an operation takes over a second; nothing otherwise.
class Progress {
public:
  explicit Progress(bool enabled);
  ~Progress(); // erases the line
  void stage(std::string_view subject, std::string_view what);
  void done();

private:
  struct State;
  std::unique_ptr<State> state_;
};

class App {
public:
  App(std::string tool, Settings s, Dirs d, Level level)
      : settings(std::move(s)), dirs(std::move(d)), tool_(std::move(tool)),
        log(dirs.state + "/log/banger.jsonl", level, new_op_id()) {}

  Settings settings;
  Dirs dirs;

private:
  std::string tool_; // before `log`, which is built from what stands above

public:
  Log log;
  Output out;
  bool progress = true; // --no-progress clears it

  const std::string& tool() const { return tool_; }
  // A line for people on standard error ("banger-vm: …"); with --json nothing.
  void notice(std::string_view text);

  // For verbs that act on several things: runs `act` on each; what one throws is printed as its
  // error and never stops the others. With --json each gets a `result` object (verb, name, ok,
  // state, seconds, error|null), quiet prints the names that went well. Returns 0, the one
  // failure's status if all failures share it, else 7. `act` returns the thing's state afterwards
  // ("" if it has none).
  int for_each(std::string_view verb, const std::vector<std::string>& names,
               const std::function<std::string(const std::string& name)>& act);
};

// Prints an error once, as text with hint: and log: lines or, with json, as the error object.
void report(std::string_view tool, const Error& error, bool json);
Json error_json(const Error& error);

// Names from operands: "-" reads them from standard input, plain lines or JSON lines with a "name";
// duplicates go. Throws Error(usage) for a bad line.
std::vector<std::string> read_names(const std::vector<std::string>& operands);

} // namespace banger::cli
