// The structured log: JSON lines, one object a line.
//
//   {"time":"…Z","level":"info","op":"3f9c2a10","event":"vm.start.stage","vm":"demo","stage":"kernel","seconds":0.81}
//
// A Log is made by main and passed by reference; a library records stages and facts with it and
// never logs an error that it also throws (the program that catches it does). The file is opened at
// the first record that the level lets through, so a command that has nothing to say opens nothing.
// A log that cannot be written never fails the operation.
#pragma once

#include <cstdint>
#include <exception>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

#include "core/clock.h"
#include "core/handle.h"

namespace banger {

enum class Level { debug, info, warn, error, off };
std::string_view name_of(Level level);
// Throws Error(usage).
Level parse_level(std::string_view text);

class Log {
public:
  // The text of a JSON object, which becomes one in the record.
  struct Object {
    explicit Object(std::string_view text) : json(text) {}
    std::string_view json;
  };
  using Value = std::variant<std::string_view, int64_t, double, bool, Object>;
  struct Field {
    std::string_view key;
    Value value;
  };
  using Fields = std::initializer_list<Field>;

  // Of a file whose directory is not there: made with it, or nothing is written, where the log goes
  // with its directory and must not bring that back.
  enum class Directory { made, given };
  // `path` empty: nothing is written. `op` is the id that ties one command's records together.
  Log(std::string path, Level level, std::string op, Directory directory = Directory::made);
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  void write(Level level, std::string_view event, Fields fields = {},
             const std::exception* error = nullptr);
  void debug(std::string_view event, Fields fields = {}) {
    if (level_ <= Level::debug) write(Level::debug, event, fields);
  }
  void info(std::string_view event, Fields fields = {}) {
    if (level_ <= Level::info) write(Level::info, event, fields);
  }
  void warn(std::string_view event, Fields fields = {}) {
    if (level_ <= Level::warn) write(Level::warn, event, fields);
  }
  void error(std::string_view event, Fields fields = {}) {
    if (level_ <= Level::error) write(Level::error, event, fields);
  }
  // With "error", the words of `e`, behind the fields.
  void warn(std::string_view event, const std::exception& e, Fields fields = {}) {
    if (level_ <= Level::warn) write(Level::warn, event, fields, &e);
  }
  void error(std::string_view event, const std::exception& e, Fields fields = {}) {
    if (level_ <= Level::error) write(Level::error, event, fields, &e);
  }

  const std::string& op() const { return op_; }
  const std::string& path() const { return path_; }
  Directory directory() const { return directory_; }
  Level level() const { return level_; }

private:
  std::string path_;
  Level level_;
  Directory directory_;
  std::string op_;
  Fd file_;
};

// 8 hex digits, unlike any other operation's.
std::string new_op_id();

// Logs `event` with "seconds" when it goes out of scope. The subject is a name: one that was asked
// for by an id is told by about() once its name is known.
class LogSpan {
public:
  LogSpan(Log& log, std::string event, std::string subject)
      : log_(log), event_(std::move(event)), subject_(std::move(subject)), start_(steady_now()) {}
  LogSpan(const LogSpan&) = delete;
  LogSpan& operator=(const LogSpan&) = delete;
  ~LogSpan();
  void about(const std::string& name) { subject_ = name; }

private:
  Log& log_;
  std::string event_;
  std::string subject_;
  SteadyTime start_;
};

} // namespace banger
