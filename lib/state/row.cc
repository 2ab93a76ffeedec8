#include "state/row.h"

#include <vector>

#include "core/text.h"
#include "model/name.h"

namespace banger::state {

std::optional<std::string> find_id(Db& db, std::string_view table, std::string_view noun,
                                   const std::string& ref) {
  constexpr size_t whole_id = 12;
  auto is = [&](const char* field) {
    Query q = db.query(fmt::format("SELECT id FROM {} WHERE {} = ?", table, field));
    q.bind(0, ref);
    return q.next() ? std::optional(q.text(0)) : std::nullopt;
  };
  // A whole id means the VM that has it, even where another VM has that text as its name.
  if (ref.size() == whole_id && is_id_prefix(ref))
    if (auto id = is("id")) return id;
  if (auto id = is("name")) return id;
  if (!is_id_prefix(ref)) return {};
  // 'g' comes after the last hex digit.
  Query q = db.query(fmt::format("SELECT id FROM {} WHERE id >= ? AND id < ? LIMIT 2", table));
  q.bind(0, ref);
  q.bind(1, ref + "g");
  if (!q.next()) return {};
  std::string id = q.text(0);
  if (q.next())
    throw usage("'{}' begins the ids of several {}s", ref, noun)
        .subject(ref)
        .hint("give more digits, or the name");
  return id;
}

Error no_such(Db& db, std::string_view table, std::string_view noun, const std::string& ref) {
  std::vector<std::string> names;
  Query q = db.query(fmt::format("SELECT name FROM {}", table));
  while (q.next()) names.push_back(q.text(0));
  auto near = did_you_mean(ref, names);
  return not_found("no {} '{}'", noun, escape_for_terminal(ref))
      .subject(ref)
      .hint(near ? fmt::format("did you mean '{}'?", *near)
                 : fmt::format("'banger {} list' shows what there is", table));
}

} // namespace banger::state
