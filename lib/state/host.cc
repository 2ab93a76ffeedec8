// The state's records of the host: the network's places, host objects, ports that change.
#include <algorithm>

#include "state/older_monitors.h"
#include "state/row.h"
#include "state/state.h"

namespace banger::state {

namespace {

HostObject read_object(const Query& q) {
  HostObject o;
  get(q, 0, o.kind);
  get(q, 1, o.name);
  get(q, 2, o.vm);
  get(q, 3, o.place);
  get(q, 4, o.identity);
  get(q, 5, o.made);
  return o;
}

// `where` has one parameter at the most. Kinds that a later build has are passed over: a process of
// this build that runs on knows nothing of them.
std::vector<HostObject> load_objects(Db& db, std::string_view where, const std::string& value) {
  std::vector<HostObject> all;
  Query q = db.query(fmt::format(
      "SELECT kind, name, vm, place, identity, made FROM host_object {} ORDER BY kind, name",
      where));
  if (!where.empty()) q.bind(0, value);
  while (q.next())
    if (find_object_kind(q.text(0))) all.push_back(read_object(q));
  return all;
}

void store(Db& db, const HostObject& o) {
  Query q = db.query("INSERT INTO host_object (kind, name, vm, place, identity, made) "
                     "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (kind, name) DO UPDATE SET "
                     "vm = excluded.vm, place = excluded.place, identity = excluded.identity, "
                     "made = excluded.made");
  int i = 0;
  put(q, i++, o.kind);
  put(q, i++, o.name);
  put(q, i++, o.vm);
  o.place.empty() ? q.bind_null(i++) : put(q, i++, o.place);
  put(q, i++, o.identity);
  put(q, i++, o.made);
  q.next();
}

std::optional<NetPlaceRecord> load_place(Db& db, const std::string& name) {
  NetPlaceRecord place;
  {
    Query q = db.query("SELECT name, dir, subnet FROM net_place WHERE name = ?");
    q.bind(0, name);
    if (!q.next()) return {};
    place = {q.text(0), q.text(1), q.text(2), {}};
  }
  place.objects = load_objects(db, "WHERE place = ?", name);
  return place;
}

} // namespace

std::vector<HostObject> State::host_objects() {
  std::vector<HostObject> all;
  db_->snapshot([&] { all = load_objects(*db_, "", {}); });
  return all;
}

std::vector<HostObject> State::host_objects(ObjectKind kind) {
  std::vector<HostObject> all;
  db_->snapshot([&] { all = load_objects(*db_, "WHERE kind = ?", std::string(name_of(kind))); });
  return all;
}

std::vector<HostObject> State::host_objects_of(const std::string& vm) {
  std::vector<HostObject> all;
  db_->snapshot([&] { all = load_objects(*db_, "WHERE vm = ?", vm); });
  return all;
}

std::optional<NetPlaceRecord> State::net_place(const std::string& name) {
  std::optional<NetPlaceRecord> place;
  db_->snapshot([&] { place = load_place(*db_, name); });
  return place;
}

void State::set_net_place(const NetPlaceRecord& place, Outlives outlives) {
  auto put_place = [&] {
    auto before = load_place(*db_, place.name);
    db_->run("INSERT INTO net_place (name, dir, subnet) VALUES (?, ?, ?) ON CONFLICT (name) "
             "DO UPDATE SET dir = excluded.dir, subnet = excluded.subnet",
             place.name, place.dir, place.subnet);
    auto is_in = [](const HostObject& o, const std::vector<HostObject>& all) {
      return std::find(all.begin(), all.end(), o) != all.end();
    };
    std::vector<HostObject> known = before ? before->objects : std::vector<HostObject>{};
    for (const HostObject& o : known)
      if (!is_in(o, place.objects))
        db_->run("DELETE FROM host_object WHERE kind = ? AND name = ?", name_of(o.kind), o.name);
    for (const HostObject& o : place.objects)
      if (!is_in(o, known)) store(*db_, o);
    tell_older_monitors(*db_, place);
  };
  transaction(put_place, outlives);
}

void State::remove_net_place(const std::string& name, Outlives outlives) {
  auto remove = [&] {
    db_->run("DELETE FROM net_place WHERE name = ?", name);
    tell_older_monitors(*db_, {name, {}, {}, {}});
  };
  transaction(remove, outlives);
}

void State::put_host_object(const HostObject& object, Outlives outlives) {
  transaction([&] { store(*db_, object); }, outlives);
}

void State::remove_host_objects(ObjectKind kind, const std::string& vm, Outlives outlives) {
  auto remove = [&] {
    db_->run("DELETE FROM host_object WHERE kind = ? AND vm = ? AND place IS NULL", name_of(kind),
             vm);
  };
  transaction(remove, outlives);
}

void State::begin_port_change(const std::string& vm, const std::vector<Port>& ports) {
  transaction([&] {
    for (const Port& p : ports)
      db_->run("INSERT OR IGNORE INTO port_change (vm, proto, host_address, host, guest) "
               "VALUES (?, ?, ?, ?, ?)",
               vm, p.proto, p.host_address, int64_t{p.host}, int64_t{p.guest});
  });
}

void State::end_port_change(const std::string& vm) {
  transaction([&] { db_->run("DELETE FROM port_change WHERE vm = ?", vm); });
}

std::map<std::string, std::vector<Port>> State::changing_ports() {
  std::map<std::string, std::vector<Port>> all;
  Query q = db_->query("SELECT vm, proto, host_address, host, guest FROM port_change");
  while (q.next())
    all[q.text(0)].push_back(
        {q.text(1), q.text(2), static_cast<int>(q.number(3)), static_cast<int>(q.number(4))});
  return all;
}

} // namespace banger::state
