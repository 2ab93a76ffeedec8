// Questions about VMs that need no whole VM for their answer.
#include "state/row.h"
#include "state/state.h"

namespace banger::state {

std::vector<std::string> State::vm_names() {
  std::vector<std::string> names;
  Query q = db_->query("SELECT name FROM vm ORDER BY name");
  while (q.next()) names.push_back(q.text(0));
  return names;
}

bool State::has_vm_named(const std::string& name) {
  return db_->query_one("SELECT 1 FROM vm WHERE name = ?", name).has_value();
}

std::vector<State::Lease> State::leases(NetMode mode) {
  std::vector<Lease> all;
  db_->snapshot([&] {
    all.clear();
    Query q = db_->query("SELECT id, name, state, address, prefix FROM vm WHERE net_mode = ? "
                         "ORDER BY name");
    q.bind(0, name_of(mode));
    while (q.next())
      all.push_back({q.text(0), q.text(1), parse_vm_state(q.text(2)), q.text(3),
                     static_cast<int>(q.number(4))});
  });
  return all;
}

std::vector<State::PublishedPort> State::published_ports() {
  std::vector<PublishedPort> all;
  Query q = db_->query("SELECT vm.id, vm.name, p.proto, p.host_address, p.host, p.guest "
                       "FROM vm_port p JOIN vm ON vm.id = p.vm ORDER BY vm.name, p.position");
  while (q.next())
    all.push_back(
        {q.text(0), q.text(1),
         Port{q.text(2), q.text(3), static_cast<int>(q.number(4)), static_cast<int>(q.number(5))}});
  return all;
}

std::vector<State::ImageUser> State::image_users(const std::string& image_id) {
  std::vector<ImageUser> all;
  Query q = db_->query("SELECT name, state, image_id <> ?1 FROM vm WHERE image_id = ?1 OR id IN "
                       "(SELECT vm FROM snapshot WHERE image_id = ?1) ORDER BY name");
  q.bind(0, image_id);
  while (q.next()) all.push_back({q.text(0), parse_vm_state(q.text(1)), q.number(2) != 0});
  return all;
}

std::set<std::string> State::vm_ids() {
  std::set<std::string> all;
  Query q = db_->query("SELECT id FROM vm");
  while (q.next()) all.insert(q.text(0));
  return all;
}

std::vector<std::string> State::runtime_dirs() {
  std::vector<std::string> all;
  Query q = db_->query("SELECT DISTINCT runtime_dir FROM vm_run WHERE runtime_dir <> ''");
  while (q.next()) all.push_back(q.text(0));
  return all;
}

} // namespace banger::state
