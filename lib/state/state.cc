#include "state/state.h"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

#include "core/failpoint.h"
#include "core/text.h"
#include "state/db.h"
#include "state/migrations.h"
#include "state/older_monitors.h"
#include "sys/file.h"
#include "sys/owner.h"

namespace banger::state {

namespace {

// Makes the directory and sees to it that it is there after a power cut.
void make_state_dir(const std::string& dir) {
  std::vector<std::string> missing; // from the innermost
  for (std::string at = dir; at.size() > 1 && !sys::find_info(at);) {
    missing.push_back(at);
    at.resize(std::max<size_t>(at.rfind('/'), 1));
  }
  sys::make_dirs(dir, 0700);
  for (const std::string& made : missing)
    sys::sync_dir(made.substr(0, std::max<size_t>(made.rfind('/'), 1)));
}

// One that holds other things is not closed to others for banger's sake.
bool may_be_closed(const Dirs& dirs) {
  return sys::exists(dirs.db()) || sys::list_dir(dirs.state).empty();
}

void check_dir(const Dirs& dirs, const sys::FileInfo& info) {
  const std::string& dir = dirs.state;
  if (!info.is_dir) throw preflight("the state directory '{}' is no directory", dir).subject(dir);
  if (info.mode & 077)
    throw preflight("others can read the state directory '{}' (mode {:o})", dir, info.mode)
        .subject(dir)
        .hint(may_be_closed(dirs)
                  ? "chmod 700 " + shell_quote(dir)
                  : fmt::format("it has other things in it: --state-dir {} would be banger's own",
                                shell_quote(dir == "/" ? "/banger" : dir + "/banger")));
}

// SQLite takes no path of more than 512 bytes, the names of its own files included, and says of a
// longer one that it is not there.
void check_length(const std::string& dir) {
  constexpr size_t most = 480;
  if (dir.size() <= most) return;
  throw preflight("the path of the state directory '{}' is too long: {} bytes, at most {}", dir,
                  dir.size(), most)
      .subject(dir)
      .hint("set BANGER_STATE_DIR to a shorter path");
}

void check_file_system(const std::string& dir) {
  if (auto name = sys::network_file_system(dir))
    throw preflight("the state directory '{}' is on a network file system ({})", dir, *name)
        .subject(dir)
        .hint("SQLite's log is not safe there: set BANGER_STATE_DIR to a local directory");
}

} // namespace

State::State(std::unique_ptr<Db> db, Mode mode, std::string tag)
    : db_(std::move(db)), mode_(mode), tag_(std::move(tag)) {}
State::State(State&&) noexcept = default;
State& State::operator=(State&&) noexcept = default;
State::~State() = default;

void State::set_patience(Millis patience) { db_->set_patience(patience); }

State State::open(const Dirs& dirs, Mode mode, std::optional<Millis> patience) {
  check_length(dirs.state);
  auto info = sys::find_info(dirs.state);
  sys::require_own("state", dirs.state, info, "set BANGER_STATE_DIR to a directory of your own");
  if (mode == Mode::write && !dirs.runtime.empty())
    sys::require_own("runtime", dirs.runtime, sys::find_info(dirs.runtime),
                     "unset XDG_RUNTIME_DIR, or set it to a directory of your own");
  if (!info) {
    if (mode == Mode::read) return State(std::make_unique<Db>(), mode, {});
    check_file_system(dirs.state);
    make_state_dir(dirs.state);
    info = sys::find_info(dirs.state);
    if (!info) throw failed("the state directory '{}' vanished", dirs.state).subject(dirs.state);
  }
  check_dir(dirs, *info);
  check_file_system(dirs.state);

  auto db = Db::open(dirs.db(), mode);
  if (!db) {
    if (mode == Mode::read) return State(std::make_unique<Db>(), mode, {});
    // Made here, not by SQLite: it would let others read it.
    sys::open_file(dirs.db(), O_RDWR | O_CREAT, 0600);
    db = Db::open(dirs.db(), mode);
    if (!db) throw failed("the state file '{}' vanished", dirs.db()).subject(dirs.db());
  }
  if (patience) db->set_patience(*patience);

  const int64_t newest = migrations().back().number;
  std::string tag;
  auto read_tag = [&] {
    if (schema_version(*db) != newest) return false;
    Query q = db->query("SELECT tag FROM identity");
    if (q.next()) tag = q.text(0);
    return true;
  };
  if (db->needs_initialising() && mode == Mode::write) db->initialise();
  bool current = false;
  db->snapshot([&] { current = read_tag(); });
  if (!current) {
    migrate(*db);
    db->snapshot([&] { read_tag(); });
  }
  db->set_verified();
  return State(std::move(db), mode, std::move(tag));
}

bool State::is_absent() const { return db_->is_absent(); }

Mode State::mode() const { return mode_; }
const std::string& State::tag() const { return tag_; }

WallTime State::made() {
  Query q = db_->query("SELECT applied FROM migration WHERE number = 1");
  return {q.next() ? q.number(0) : 0};
}

void State::transaction(const std::function<void()>& body, Outlives outlives) {
  if (mode_ != Mode::write) throw failed("the state '{}' was opened only for reading", db_->path());
  db_->transaction(body, outlives);
}

bool State::keep_room() { return db_->keep_room(); }

std::optional<std::string> State::fact(const std::string& key) {
  return db_->query_one("SELECT value FROM fact WHERE key = ?", key);
}

void State::set_fact(const std::string& key, const std::string& value, Outlives outlives) {
  auto store = [&] {
    db_->run("INSERT INTO fact (key, value) VALUES (?, ?) "
             "ON CONFLICT (key) DO UPDATE SET value = excluded.value",
             key, value);
  };
  transaction(store, outlives);
}

void State::dismiss_older_monitors() { state::dismiss_older_monitors(*db_); }

int64_t State::data_version() { return db_->data_version(); }

void State::backup(const std::string& path) {
  if (is_absent()) throw not_found("there is no state to back up").subject(path);
  if (sys::find_link_info(path)) throw conflict("'{}' exists already", path).subject(path);
  // Never a partial copy under the name that was asked for.
  size_t slash = path.rfind('/');
  std::string dir = slash == std::string::npos ? "." : path.substr(0, std::max<size_t>(slash, 1));
  std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
  std::string temporary = fmt::format("{}/.{}.{}.tmp", dir, name, ::getpid());
  try {
    // Made here, 0600, because SQLite would let others read it; it takes an empty file.
    Fd file = sys::open_file(temporary, O_RDWR | O_CREAT | O_EXCL);
    sys::make_or_remove(temporary, [&] {
      failpoint(Point::write);
      db_->run("VACUUM INTO ?", temporary);
      if (::fsync(file.get()) != 0) throw sys_error(errno, "cannot sync '{}'", temporary);
      sys::rename(temporary, path);
    });
    sys::sync_dir(dir);
  } catch (Error& e) {
    e.within(fmt::format("cannot back up the state to '{}'", path));
    throw;
  }
}

} // namespace banger::state
