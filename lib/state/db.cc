#include "state/db.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <utility>

#include "core/failpoint.h"
#include "core/text.h"
#include "sys/file.h"
#include "sys/owner.h"
#include "sys/wait.h"

namespace banger::state {

namespace {

// "bngr" in the header, at offset 68: tells our files from all others.
constexpr uint32_t application_id = 0x626e6772;

// Another process was in the way for longer than SQLite's own waiting; transaction() tries again.
struct Busy : Error {
  using Error::Error;
};

std::string how_to_move_aside(const std::string& path) {
  return fmt::format("move it aside and start with an empty state: mv {} {}", shell_quote(path),
                     shell_quote(path + ".broken"));
}

} // namespace

Query::~Query() {
  if (!statement_) return; // an absent state has none
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

bool Query::next() {
  if (!statement_) return false;
  db_.begin_waiting();
  errno = 0;
  int result = sqlite3_step(statement_);
  if (result == SQLITE_ROW) return true;
  if (result == SQLITE_DONE) return false;
  db_.fail(result);
}

void Query::bind(int i, std::string_view text) {
  if (!statement_) return;
  int result = sqlite3_bind_text64(statement_, i + 1, text.data() ? text.data() : "", text.size(),
                                   SQLITE_TRANSIENT, SQLITE_UTF8);
  if (result != SQLITE_OK) db_.fail(result);
}

void Query::bind(int i, int64_t number) {
  if (!statement_) return;
  int result = sqlite3_bind_int64(statement_, i + 1, number);
  if (result != SQLITE_OK) db_.fail(result);
}

void Query::bind(int i, double number) {
  if (!statement_) return;
  int result = sqlite3_bind_double(statement_, i + 1, number);
  if (result != SQLITE_OK) db_.fail(result);
}

void Query::bind_null(int i) {
  if (!statement_) return;
  int result = sqlite3_bind_null(statement_, i + 1);
  if (result != SQLITE_OK) db_.fail(result);
}

std::string Query::text(int i) const {
  const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(statement_, i));
  if (!data) return {};
  return {data, static_cast<size_t>(sqlite3_column_bytes(statement_, i))};
}

std::unique_ptr<Db> Db::open(const std::string& path, Mode mode) {
  auto db = std::make_unique<Db>();
  db->path_ = path;
  // A reader, too, opens for writing: it needs the shared memory, and may have to bring an older
  // schema up to date.
  db->vfs_.emplace(db->deadline_);
  constexpr int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  int result = sqlite3_open_v2(path.c_str(), &db->handle_, flags, db->vfs_->name());
  if (result == SQLITE_CANTOPEN && !sys::exists(path)) return nullptr;
  if (result != SQLITE_OK) db->fail(result);
  sqlite3_busy_handler(db->handle_, wait_a_little, db.get());
  sqlite3_db_config(db->handle_, SQLITE_DBCONFIG_ENABLE_FKEY, 1, nullptr);
  // Until set_verified() closing must change nothing.
  sqlite3_db_config(db->handle_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  db->read_header();
  if (db->is_blank_ && mode == Mode::read) return nullptr;
  return db;
}

Db::~Db() {
  for (auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  if (handle_ && verified_ && log_size() > 0) {
    // The last connection to close folds the log into the file and empties it, but keeps the -wal
    // file: a new one would cost the next writer a sync of the directory.
    int on = 1;
    sqlite3_file_control(handle_, "main", SQLITE_FCNTL_PERSIST_WAL, &on);
    sqlite3_exec(handle_, "PRAGMA journal_size_limit=0", nullptr, nullptr, nullptr);
    sqlite3_db_config(handle_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, nullptr);
  }
  sqlite3_close(handle_);
}

// Through SQLite's own descriptor: opening and closing the file beside it would drop this process's
// locks on it. At this time SQLite has not looked at the file's content, nor at its journal.
void Db::read_header() {
  sqlite3_file* file = nullptr;
  sqlite3_file_control(handle_, "main", SQLITE_FCNTL_FILE_POINTER, &file);
  std::array<char, 100> header{};
  int result = file->pMethods->xRead(file, header.data(), header.size(), 0);
  if (result == SQLITE_IOERR_SHORT_READ) {
    // Not by xFileSize: that calls a file of one byte empty.
    auto info = sys::find_info(path_);
    is_blank_ = info && info->size == 0;
    result = SQLITE_OK;
  }
  if (result != SQLITE_OK) fail(result);
  if (is_blank_) return;
  if (std::memcmp(header.data(), "SQLite format 3", 16) != 0)
    throw failed("the state file '{}' is no database", path_)
        .subject(path_)
        .hint(how_to_move_aside(path_));
  uint32_t id = 0;
  for (size_t i = 68; i < 72; ++i) id = id << 8 | static_cast<unsigned char>(header[i]);
  if (id != application_id)
    throw failed("the state file '{}' is a database of another program", path_)
        .subject(path_)
        .hint(how_to_move_aside(path_));
  is_wal_ = header[18] == 2;
}

// SQLite begins at the log's head again when it has 1000 pages, each with a head of 24 bytes, and
// the last commit may go beyond. The log has no locks that closing it beside SQLite would drop.
bool Db::keep_room() {
  constexpr int64_t whole = 1100 * (8192 + 24), least = int64_t{1} << 20;
  std::string log = path_ + "-wal";
  return sys::keep_room(log, whole) || sys::keep_room(log, log_size() + least);
}

int64_t Db::data_version() {
  // Taken before SQLite looks: a commit in between is then looked at once more, not missed.
  auto mark = is_wal_ ? commit_mark(handle_) : std::nullopt;
  if (mark && mark == marked_) return data_version_;
  marked_.reset();
  Query q = query("PRAGMA data_version");
  data_version_ = q.next() ? q.number(0) : 0;
  marked_ = mark;
  return data_version_;
}

int64_t Db::log_size() {
  sqlite3_file* file = nullptr;
  sqlite3_int64 size = 0;
  sqlite3_file_control(handle_, "main", SQLITE_FCNTL_JOURNAL_POINTER, &file);
  if (file && file->pMethods) file->pMethods->xFileSize(file, &size);
  return size;
}

void Db::initialise() {
  // Larger pages than SQLite's own: fewer calls to read a list. Ignored unless the file is blank.
  script("PRAGMA page_size=8192");
  // The mark is set before the file becomes WAL, so that it is in the file itself, not in the log.
  transaction([&] { run(fmt::format("PRAGMA application_id={}", application_id)); });
  retry([&] {
    Query q = query("PRAGMA journal_mode=WAL");
    if (!q.next() || q.text(0) != "wal")
      throw failed("cannot make the state file '{}' a WAL database", path_).subject(path_);
  });
  is_wal_ = true;
}

Query Db::query(std::string_view sql) {
  if (is_absent()) return Query(*this, nullptr);
  auto it = statements_.find(sql);
  if (it == statements_.end()) {
    sqlite3_stmt* statement = nullptr;
    errno = 0;
    int result = sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()),
                                    SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (result != SQLITE_OK) fail(result);
    it = statements_.emplace(sql, statement).first;
  }
  return Query(*this, it->second);
}

void Db::script(const std::string& sql) { exec(sql.c_str()); }

void Db::exec(const char* sql) {
  begin_waiting();
  errno = 0;
  int result = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr);
  if (result != SQLITE_OK) fail(result);
}

void Db::transaction(const std::function<void()>& body, Outlives outlives) {
  if (depth_ > 0) {
    run("SAVEPOINT joined");
    try {
      body();
      run("RELEASE joined");
    } catch (...) {
      roll_back("ROLLBACK TO joined; RELEASE joined");
      throw;
    }
    return;
  }
  retry([&] {
    begin_writing(outlives);
    ++depth_;
    try {
      body();
      failpoint(Point::commit);
      run("COMMIT");
      --depth_;
    } catch (...) {
      --depth_;
      roll_back("ROLLBACK");
      throw;
    }
  });
}

void Db::begin_writing(Outlives outlives) {
  // In WAL mode NORMAL leaves out nothing but the sync at the commit.
  if (outlives_ != outlives)
    run(outlives == Outlives::power_cut ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL");
  outlives_ = outlives;
  if (!line_) line_.emplace(path_ + "-line");
  // A writer that does not get to the front in time goes on, and is told so by SQLite's busy
  // handler, which has the same deadline.
  auto turn = line_->stand(deadline_);
  run("BEGIN IMMEDIATE");
}

void Db::snapshot(const std::function<void()>& body) {
  if (is_absent() || depth_ > 0) return body();
  retry([&] {
    run("BEGIN");
    ++depth_;
    try {
      body();
      run("COMMIT");
      --depth_;
    } catch (...) {
      --depth_;
      roll_back("ROLLBACK");
      throw;
    }
  });
}

// After some failures (a full disk) SQLite has rolled back already.
void Db::roll_back(const char* sql) noexcept {
  if (!sqlite3_get_autocommit(handle_)) sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr);
}

template <typename F>
void Db::retry(F&& body) {
  deadline_ = steady_now() + patience_;
  retrying_ = true;
  struct Done {
    bool& flag;
    ~Done() { flag = false; }
  } done{retrying_};
  for (int tries = 0;; ++tries) {
    try {
      return body();
    } catch (const Busy&) {
      if (!wait_a_little(this, tries)) throw;
    }
  }
}

// For the waiting that SQLite does by itself (state/vfs.h).
void Db::begin_waiting() {
  if (!retrying_) deadline_ = steady_now() + patience_;
}

// SQLite's busy handler. Its own waits ever longer, so that a process that has just come starves
// one that has waited for long; an even wait is fair.
int Db::wait_a_little(void* self, int tries) {
  auto& db = *static_cast<Db*>(self);
  auto now = steady_now();
  if (tries == 0 && !db.retrying_) db.deadline_ = now + db.patience_;
  if (now >= db.deadline_) return 0;
  sys::sleep_for(std::chrono::microseconds(300));
  return 1;
}

void Db::fail(int result) const {
  // sqlite3_system_errno() knows of failed opens only; errno still has what failed within the call,
  // where the caller had cleared it.
  int err = errno;
  if ((result & 0xff) == SQLITE_FULL)
    err = ENOSPC;
  else if ((result & 0xff) != SQLITE_IOERR && (result & 0xff) != SQLITE_CANTOPEN)
    err = 0;
  auto cannot = [&](const char* doing) {
    std::string message = fmt::format("cannot {} the state '{}'", doing, path_);
    if (!err) return failed("{}: {}", message, sqlite3_errmsg(handle_)).subject(path_);
    Error e = Error::from_errno(err, message).subject(path_);
    if (err == ENOSPC || err == EDQUOT) e.default_hint("free some space on its file system");
    if (err == EACCES) e.default_hint(sys::how_to_own(path_.substr(0, path_.rfind('/'))));
    return e;
  };
  switch (result & 0xff) {
  case SQLITE_BUSY:
  case SQLITE_LOCKED:
  case SQLITE_PROTOCOL:
    throw Busy(Code::timeout,
               fmt::format("the state '{}' was in use by others for too long", path_));
  case SQLITE_CORRUPT:
  case SQLITE_NOTADB:
    throw failed("the state file '{}' is damaged: {}", path_, sqlite3_errmsg(handle_))
        .subject(path_)
        .hint(how_to_move_aside(path_));
  case SQLITE_CANTOPEN:
    throw cannot("open");
  case SQLITE_FULL:
  case SQLITE_READONLY:
    throw cannot("write");
  default:
    throw cannot("use");
  }
}

int64_t schema_version(Db& db) {
  Query q = db.query("PRAGMA user_version");
  return q.next() ? q.number(0) : 0;
}

} // namespace banger::state
