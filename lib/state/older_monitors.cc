#include "state/older_monitors.h"

#include <cstdlib>

#include <nlohmann/json.hpp>

#include "state/sql.h"
#include "sys/proc.h"

namespace banger::state {

namespace {

// `table`: where the monitors' identities are.
bool one_lives(Db& db, std::string_view table) {
  Query q = db.query(fmt::format("SELECT monitor_pid, monitor_start_time, monitor_boot_id FROM {} "
                                 "WHERE monitor_pid <> 0",
                                 table));
  while (q.next())
    if (sys::is_alive(ProcessId{static_cast<int>(q.number(0)), static_cast<uint64_t>(q.number(1)),
                                q.text(2)}))
      return true;
  return false;
}

bool are_served(Db& db) {
  return db.query_one("SELECT 1 FROM sqlite_schema WHERE name = 'older_run'").has_value();
}

} // namespace

void serve_older_monitors(Db& db) {
  if (one_lives(db, "vm_run")) db.script(sql::older_monitors);
}

void take_net_fact(Db& db) {
  db.script(sql::net_of_fact);
  if (!are_served(db)) return db.run("DELETE FROM fact WHERE key = 'net'");
  // `schema`: a key that only this build writes there.
  db.script(fmt::format("CREATE TRIGGER older_net AFTER UPDATE ON fact "
                        "WHEN NEW.key = 'net' AND json_extract(NEW.value, '$.schema') IS NULL "
                        "BEGIN {} END",
                        sql::net_of_fact));
}

void tell_older_monitors(Db& db, const NetPlaceRecord& place) {
  if (place.name != "user" || !db.query_one("SELECT 1 FROM fact WHERE key = 'net'")) return;
  using Json = nlohmann::ordered_json;
  Json net = {{"schema", schema_version(db)},
              {"dir", place.dir},
              {"subnet", place.subnet},
              {"net_id", 0},
              {"taps", Json::object()}};
  for (const HostObject& o : place.objects) {
    if (o.kind == ObjectKind::holder && o.name != place.name) continue; // it knows none
    if (o.kind == ObjectKind::holder || o.kind == ObjectKind::slirp) {
      std::string who(name_of(o.kind));
      ProcessId id = parse_process(o.identity);
      net[who] = {{"pid", id.pid}, {"start_time", id.start_time}, {"boot_id", id.boot_id}};
      net[who + "_ready"] = o.made;
    } else if (o.kind == ObjectKind::table) {
      net["guard"] = std::atoi(o.identity.c_str());
    } else if (o.kind == ObjectKind::netns) {
      net["net_id"] = std::strtoull(o.identity.c_str(), nullptr, 10);
    } else if (o.kind == ObjectKind::tap && !o.vm.empty()) {
      net["taps"][o.vm] = std::atoi(o.name.c_str() + o.name.rfind('-') + 1);
    }
  }
  db.run("UPDATE fact SET value = ? WHERE key = 'net'", net.dump());
}

void dismiss_older_monitors(Db& db) {
  if (!are_served(db) || one_lives(db, "vm")) return;
  db.transaction([&] {
    if (are_served(db)) db.script(sql::older_monitors_gone);
  });
}

} // namespace banger::state
