// SQLite in our words: a handle, statements prepared once, transactions. Private to state/.
//
// Guarantees:
// - Before SQLite may touch a file its header is read and must be ours (application_id): a foreign
//   or broken file is refused byte for byte as it was.
// - Every failure is an Error that names the file. A full disk keeps ENOSPC, I/O errors their
// errno.
// - transaction() runs whole transactions: BEGIN IMMEDIATE, body, failpoint, COMMIT. When another
//   process is in the way all of it runs again, never a part of it, until 30 s have passed; then
//   Error(timeout).
// - snapshot() makes several queries see one moment.
// - A row goes with the one that it REFERENCES, where the schema says so.
// - A Db without a file (absent) answers every query with no rows.
// - The last process to close the file leaves an empty -wal, so that the next has nothing to
// recover.
//
// Call order: Db::open, initialise() where it needs_initialising(), migrate() (state/migrations.h),
// set_verified(), queries and transactions.
//
// Not thread safe. Owns the handle and its statements; a Query must not outlive its Db.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <sqlite3.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/outlives.h"
#include "state/commit_mark.h"
#include "state/mode.h"
#include "state/vfs.h"
#include "sys/lock.h"

namespace banger::state {

class Db;

// One run of a prepared statement. Columns and parameters count from 0; text is copied in and out.
class Query {
public:
  Query(Db& db, sqlite3_stmt* statement) : db_(db), statement_(statement) {}
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;
  ~Query(); // the statement is ready for its next run

  // The next row; false at the end.
  bool next();

  void bind(int i, std::string_view text);
  void bind(int i, int64_t number);
  void bind(int i, double number);
  void bind_null(int i);

  bool is_null(int i) const { return sqlite3_column_type(statement_, i) == SQLITE_NULL; }
  std::string text(int i) const;
  int64_t number(int i) const { return sqlite3_column_int64(statement_, i); }
  double real(int i) const { return sqlite3_column_double(statement_, i); }

private:
  Db& db_;
  sqlite3_stmt* statement_; // null when absent
};

class Db {
public:
  // An absent state.
  Db() = default;
  // Null if there is no such file, or, for reading, one of length 0: nothing was ever stored. A
  // reader may have to migrate an older schema, so every handle can write; State refuses the rest.
  static std::unique_ptr<Db> open(const std::string& path, Mode mode);
  ~Db();
  Db(const Db&) = delete;
  Db& operator=(const Db&) = delete;

  bool is_absent() const { return !handle_; }
  const std::string& path() const { return path_; }

  // `sql` is one statement; its compiled form is kept.
  Query query(std::string_view sql);
  // A statement that gives no rows; `args` are its parameters (text or int64_t).
  template <typename... A>
  void run(std::string_view sql, const A&... args) {
    Query q = query(sql);
    int i = 0;
    (q.bind(i++, args), ...);
    while (q.next()) {
    }
  }
  // The first column of the first row, if there is one.
  template <typename... A>
  std::optional<std::string> query_one(std::string_view sql, const A&... args) {
    Query q = query(sql);
    int i = 0;
    (q.bind(i++, args), ...);
    if (!q.next()) return {};
    return q.text(0);
  }
  // Several statements without parameters, separated by ';'.
  void script(const std::string& sql);
  // Joins one that is open; an exception of a joined body takes back just that body's changes.
  // Writers stand in a line (STATE.DB-line): the first one tries for SQLite's own lock, alone, the
  // others sleep. Without it a hundred of them spend both processors on asking.
  void transaction(const std::function<void()>& body, Outlives outlives = Outlives::power_cut);
  void snapshot(const std::function<void()>& body);

  // A file that is blank, or was left half initialised by a process that died.
  bool needs_initialising() const { return !is_wal_; }
  // Marks the file as ours and makes it WAL. Safe to repeat and to race.
  void initialise();
  // Says that this build may change the file: it is folded up when the last process closes it.
  void set_verified() { verified_ = true; }

  // Takes room for the log, as long as this process or another has the file open: then a commit
  // succeeds on a full disk, too. False where there is none.
  bool keep_room();
  // A number that changes with every commit of another process; cheap as long as it does not.
  int64_t data_version();
  // How long others may be in the way; 30 s where nothing was set.
  void set_patience(std::chrono::milliseconds patience) { patience_ = patience; }

private:
  friend class Query;
  [[noreturn]] void fail(int result) const;
  void exec(const char* sql);
  void read_header();
  int64_t log_size();
  void roll_back(const char* sql) noexcept;
  template <typename F>
  void retry(F&& body);
  void begin_writing(Outlives outlives);
  void begin_waiting();
  static int wait_a_little(void* self, int tries);

  std::optional<Vfs> vfs_; // none when absent
  sqlite3* handle_ = nullptr;
  std::string path_;
  bool is_blank_ = false, is_wal_ = false, verified_ = false;
  int depth_ = 0;                    // of transactions and snapshots
  std::optional<Outlives> outlives_; // what SQLite was told last
  bool retrying_ = false;
  std::chrono::milliseconds patience_{30'000};
  SteadyTime deadline_{}; // of the waiting for others
  std::optional<sys::Line> line_;
  std::map<std::string, sqlite3_stmt*, std::less<>> statements_;
  std::optional<CommitMark> marked_; // when data_version_ was asked for
  int64_t data_version_ = 0;
};

// PRAGMA user_version; 0 for a file in which nothing was made yet.
int64_t schema_version(Db& db);

} // namespace banger::state
