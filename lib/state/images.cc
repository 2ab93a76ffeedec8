#include <utility>

#include "core/text.h"
#include "state/row.h"
#include "state/state.h"

namespace banger::state {

namespace {

// The columns of table image. A new field is a line here and a migration. Image::vms is counted.
template <typename I, typename Visit>
void each_column(I& image, Visit&& f) {
  f("id", image.id);
  f("name", image.name);
  f("ready", image.ready);
  f("size", image.size);
  f("used", image.used);
  f("sha256", image.sha256);
  f("source", image.source);
  f("packages_hash", image.packages_hash);
  f("created", image.created);
}

const TableSql& sql() {
  static const TableSql sql =
      TableSql::of<Image>("image", [](auto& image, auto&& f) { each_column(image, f); });
  return sql;
}

std::string select(std::string_view rest) {
  return fmt::format("SELECT {}, (SELECT count(*) FROM vm WHERE vm.image_id = image.id OR vm.id IN "
                     "(SELECT vm FROM snapshot WHERE image_id = image.id)) FROM image {}",
                     sql().columns, rest);
}

Image read_image(const Query& q) {
  Image image;
  GetColumns columns{q};
  each_column(image, columns);
  image.vms = static_cast<int>(q.number(columns.count));
  return image;
}

std::optional<Image> load(Db& db, const std::string& id) {
  Query q = db.query(select("WHERE id = ?"));
  q.bind(0, id);
  if (!q.next()) return {};
  return read_image(q);
}

} // namespace

std::vector<Image> State::images() {
  std::vector<Image> all;
  db_->snapshot([&] {
    all.clear();
    Query q = db_->query(select("ORDER BY name"));
    while (q.next()) all.push_back(read_image(q));
  });
  return all;
}

std::optional<Image> State::find_image(const std::string& ref) {
  std::optional<Image> image;
  db_->snapshot([&] {
    auto id = find_id(*db_, "image", "image", ref);
    image = id ? load(*db_, *id) : std::nullopt;
  });
  return image;
}

Image State::get_image(const std::string& ref) {
  if (auto image = find_image(ref)) return std::move(*image);
  throw no_such(*db_, "image", "image", ref);
}

Image State::add_image(Image image) {
  if (image.id.empty()) throw failed("cannot store image '{}': it has no id", image.name);
  transaction([&] {
    if (db_->query_one("SELECT 1 FROM image WHERE name = ?", image.name))
      throw conflict("image '{}' exists already", image.name)
          .subject(image.name)
          .hint(fmt::format("take another name, or remove it: banger image rm {}", image.name));
    Query q = db_->query(sql().insert);
    each_column(std::as_const(image), PutColumns{q});
    q.next();
  });
  image.vms = 0;
  return image;
}

Image State::change_image(const std::string& id, const std::function<void(Image&)>& change) {
  Image image;
  transaction([&] {
    auto found = load(*db_, id);
    if (!found) throw not_found("image {} is gone", id).subject(id);
    image = *found;
    change(image);
    if (image.id != found->id)
      throw failed("cannot change the id of image '{}'", found->name).subject(found->name);
    if (image.name != found->name) {
      if (db_->query_one("SELECT 1 FROM image WHERE name = ?", image.name))
        throw conflict("image '{}' exists already", image.name).subject(image.name);
      db_->run("UPDATE vm SET image_name = ? WHERE image_id = ?", image.name, id);
    }
    image.vms = found->vms;
    update_row(*db_, "image", "id", id, *found, image,
               [](auto& i, auto&& f) { each_column(i, f); });
  });
  return image;
}

void State::remove_image(const std::string& id) {
  transaction([&] {
    std::vector<std::string> users;
    for (ImageUser& user : image_users(id)) users.push_back(std::move(user.vm));
    if (!users.empty()) {
      std::string name = db_->query_one("SELECT name FROM image WHERE id = ?", id).value_or(id);
      throw conflict("image '{}' is in use by {}", name, join(users, ", "))
          .subject(name)
          .hint("remove those VMs first");
    }
    db_->run("DELETE FROM image WHERE id = ?", id);
  });
}

} // namespace banger::state
