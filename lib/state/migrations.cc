#include "state/migrations.h"

#include <nlohmann/json.hpp>

#include "model/name.h"
#include "model/port.h"
#include "state/older_monitors.h"
#include "state/sql.h"

namespace banger::state {

namespace {

void give_tag(Db& db) { db.run("INSERT INTO identity (tag) VALUES (?)", new_tag()); }

// Facts of before that have tables now.
void take_facts(Db& db) {
  const char* ports_key = "net.ports_unsettled";
  auto changes = nlohmann::json::parse(
      db.query_one("SELECT value FROM fact WHERE key = ?", ports_key).value_or("{}"), nullptr,
      false);
  if (changes.is_object())
    for (const auto& [vm, texts] : changes.items())
      for (const std::string text : texts) {
        Port p = parse_port(text);
        db.run("INSERT INTO port_change (vm, proto, host_address, host, guest) "
               "SELECT id, ?, ?, ?, ? FROM vm WHERE id = ?",
               p.proto, p.host_address, int64_t{p.host}, int64_t{p.guest}, vm);
      }
  db.run("DELETE FROM fact WHERE key = ?", ports_key);
  take_net_fact(db);
}

// Older monitors that run may have it still, or again (older_monitors.sql).
void want_vmm(Db& db) {
  if (!db.query_one("SELECT 1 FROM pragma_table_info('vm') WHERE name = 'want_vmm'"))
    db.script("ALTER TABLE vm ADD COLUMN want_vmm TEXT");
}

constexpr Migration all_migrations[] = {
    {1, "first schema", sql::schema, give_tag, true},
    {2, "work disks and leases", sql::migration_2, nullptr},
    {3, "host access", sql::migration_3, nullptr},
    {4, "foreign keys", sql::migration_4, nullptr},
    {5, "runs", sql::migration_5, serve_older_monitors},
    {6, "host objects", sql::migration_6, take_facts},
    {7, "wanted VMM", "", want_vmm},
    {8, "snapshots and confinement", sql::migration_8, nullptr},
    // Builds before cannot read host objects of the kind dm, nor give them back: they are refused.
    {9, "NAT and mapped disks", sql::migration_9, nullptr},
    {10, "rate limits", sql::migration_10, nullptr},
};

void apply(Db& db, const Migration& m, int64_t newest, std::span<const Migration> all) {
  db.script(m.sql);
  if (m.code) m.code(db);
  const int64_t now = wall_now().ns;
  for (const Migration& done : all)
    if (done.number == m.number || (m.whole && done.number > m.number))
      db.run("INSERT INTO migration (number, name, applied) VALUES (?, ?, ?)", done.number,
             done.name, now);
  db.script(fmt::format("PRAGMA user_version={}", m.whole ? newest : m.number));
}

} // namespace

std::span<const Migration> migrations() { return all_migrations; }

void migrate(Db& db, std::span<const Migration> all) {
  int64_t newest = all.back().number;
  if (int64_t found = schema_version(db); found > newest)
    throw conflict("the state '{}' was made by a newer banger (schema {}, this one knows {})",
                   db.path(), found, newest)
        .subject(db.path())
        .hint("use the newer banger, or another state directory (--state-dir)");
  for (const Migration& m : all) {
    if (schema_version(db) >= m.number) continue;
    try {
      db.transaction([&] {
        if (schema_version(db) >= m.number) return; // another process was faster
        apply(db, m, newest, all);
      });
    } catch (Error& e) {
      e.within(fmt::format("cannot bring the state to schema {} ({})", m.number, m.name));
      throw;
    }
  }
}

} // namespace banger::state
