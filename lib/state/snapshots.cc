#include "state/row.h"
#include "state/state.h"

namespace banger::state {

namespace {

// The columns of table snapshot. A new field is a line here and a migration.
template <typename S, typename Visit>
void each_column(S& snapshot, Visit&& f) {
  f("id", snapshot.id);
  f("vm", snapshot.vm);
  f("name", snapshot.name);
  f("image_id", snapshot.image_id);
  f("created", snapshot.created);
  f("restoring", snapshot.restoring);
}

const TableSql& sql() {
  static const TableSql sql =
      TableSql::of<Snapshot>("snapshot", [](auto& s, auto&& f) { each_column(s, f); });
  return sql;
}

} // namespace

namespace {

std::vector<Snapshot> read(Db& db, const std::string& vm, bool restoring) {
  std::vector<Snapshot> all;
  db.snapshot([&] {
    all.clear();
    Query q = db.query(fmt::format(
        "SELECT {} FROM snapshot WHERE vm = ? AND restoring = {} ORDER BY created, name",
        sql().columns, restoring ? 1 : 0));
    q.bind(0, vm);
    while (q.next()) {
      GetColumns columns{q};
      each_column(all.emplace_back(), columns);
    }
  });
  return all;
}

} // namespace

std::vector<Snapshot> State::snapshots(const std::string& vm) { return read(*db_, vm, false); }

std::optional<Snapshot> State::before_restore(const std::string& vm) {
  auto all = read(*db_, vm, true);
  return all.empty() ? std::nullopt : std::optional(std::move(all.front()));
}

Snapshot State::add_snapshot(Snapshot snapshot) {
  transaction([&] {
    if (db_->query_one("SELECT 1 FROM snapshot WHERE vm = ? AND name = ?", snapshot.vm,
                       snapshot.name))
      throw conflict("there is a snapshot '{}' already", snapshot.name).subject(snapshot.name);
    Query q = db_->query(sql().insert);
    each_column(std::as_const(snapshot), PutColumns{q});
    q.next();
  });
  return snapshot;
}

void State::remove_snapshot(const std::string& id) {
  transaction([&] { db_->run("DELETE FROM snapshot WHERE id = ?", id); });
}

} // namespace banger::state
