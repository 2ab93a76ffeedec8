// A running verb's context: settings, places, output, the log. Made by run_tool, one a process.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

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
    int goes = 0;        // where cutting does not do: it is left out, the highest first; 0: never
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

// Standard output has no reader any more. That is no failure to report: run_tool ends quietly.
struct OutputClosed : Error {
  OutputClosed() : Error(Code::failed, "standard output was closed") {}
};

// Standard output, and nothing but the result goes there. Buffered until flush() or 64 KiB.
class Output {
public:
  bool json = false, quiet = false;
  // Standard output is the terminal on which progress is shown: lines replace it, if it is there.
  bool over_progress = false;
  // One JSON line, in ASCII, so that no terminal takes a part of it for a control character; adds
  // "kind" and "v" in front. Invalid UTF-8 is replaced.
  void object(std::string_view kind, const Json& fields);
  // The same from an object's text, "{…}" on one line.
  void object_text(std::string_view kind, std::string_view text);
  void line(std::string_view text);
  // "KEY   value", the value in column `indent`; escaped, and at a terminal broken at its width,
  // its further lines below. Nothing where there is no value.
  void fact(std::string_view key, size_t indent, std::string_view value);
  // Any bytes, as they are (a guest's console into a file or pipe).
  void bytes(std::string_view data);
  void table(const Table& table);
  // Writes the buffered lines. Throws Error when standard output cannot be written, OutputClosed
  // when it is a pipe without a reader. Verbs that follow something call it after each line, so
  // that they end then.
  void flush();
  // The same, but a failure is kept for the next flush(), which run_tool does at the end.
  void push() noexcept;

private:
  std::string buffer_;
  bool line_begins_ = true; // what was written last ended a line
  int error_ = 0;           // the errno of the first write that failed; nothing is written after it
};

// Progress for people on standard error: on a terminal one line that is redrawn with the elapsed
// time, shown only once an operation takes over a second; nothing otherwise. `enabled` is
// App::progress, which run_tool clears where standard error is no terminal.
class Progress {
public:
  explicit Progress(bool enabled);
  ~Progress(); // done()
  // Shows the present step. The elapsed time is counted from the first stage on.
  void stage(std::string_view subject, std::string_view what);
  // Paints no more. The line stays for the next output, which replaces it; the next stage() begins
  // as after done().
  void rest();
  // Erases the line; the next stage() begins a new one, with the time at 0.
  void done();

private:
  struct State;
  std::unique_ptr<State> state_;
};

// Whether this process's line of progress stands on the terminal now.
bool progress_is_shown();

// The result of acting on one thing.
struct Done {
  Done(std::string state_afterwards = {}) : state(std::move(state_afterwards)) {}
  Done(std::string_view state_afterwards, bool has_changed)
      : state(state_afterwards), changed(has_changed) {}

  std::string state;   // its state afterwards; empty if it has none
  bool changed = true; // false: it was already as asked for
  std::string said;    // what was done, for people, a line each; empty: the state
  std::string name;    // its name, where that is not the one it was asked for by
};
using Act = std::function<Done(const std::string& name)>;

class App {
public:
  App(std::string tool, Settings s, Dirs d, Level level)
      : settings(std::move(s)), dirs(std::move(d)), tool_(std::move(tool)),
        log(dirs.log_file(), level, new_op_id()) {}

  Settings settings;
  Dirs dirs;

private:
  std::string tool_; // before `log`, which is built from what stands above

public:
  Log log;
  Output out;
  // Whether progress may be shown: standard error is a terminal that can erase a line, no
  // --no-progress, no -q.
  bool progress = true;

  const std::string& tool() const { return tool_; }
  // For another of our tools that does a part of this one's work: the common options by which it
  // prints, logs and reads the config as this one does.
  std::vector<std::string> common_words() const;
  // A line for people on standard error ("banger-vm: …"); with --json or --quiet nothing.
  void notice(std::string_view text);

  // For verbs that act on several things: runs `act` on each; an exception of one is printed as its
  // error and never stops the others. People get "NAME: WHAT WAS DONE" for each success, --quiet
  // the bare NAME, --json a `result` object for each (verb, name, ok, changed, state, seconds,
  // error|null). Returns 0, the one failure's status if all failures share it, else 7.
  int for_each(std::string_view verb, const std::vector<std::string>& names, const Act& act);
};

// The status of a verb whose failures had these: 0 for none, theirs if it is one, else 7.
int common_status(const std::set<int>& statuses);

// Whether people look at standard output: then text of a guest is shown escaped.
bool stdout_is_terminal();

// Prints an error once to standard error, as text with hint: and log: lines or, with json, as the
// error object. Text that came from elsewhere is escaped for the terminal.
void report(std::string_view tool, const Error& error, bool json);
// Its fields (code subject message hint log, null where there is nothing to say), without kind and
// v: the form in which other objects carry an error.
Json error_json(const Error& error);
// The fields of a `result` object. `done` counts where there is no error.
Json result_json(std::string_view verb, std::string_view name, const Done& done, double seconds,
                 const std::optional<Error>& error);

// Names from operands: "-" reads them from standard input, plain lines or JSON lines with a "name";
// duplicates and empty lines go. The names are not checked. Throws Error(usage) for a bad JSON
// line.
std::vector<std::string> read_names(const std::vector<std::string>& operands);

} // namespace banger::cli
