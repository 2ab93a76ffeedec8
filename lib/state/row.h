// From structs to rows and back. Private to state/.
//
// Each store lists its struct's columns once, in a function template `each_column(value, visitor)`
// that calls visitor("column", value.member) for each; the SQL, the parameters and the reading all
// follow from that list.
#pragma once

#include <any>
#include <concepts>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "model/host_object.h"
#include "model/vm.h"
#include "state/db.h"

namespace banger::state {

inline void parse_word(const std::string& word, VmState& v) { v = parse_vm_state(word); }
inline void parse_word(const std::string& word, NetMode& v) { v = parse_net_mode(word); }
inline void parse_word(const std::string& word, RootWay& v) { v = parse_root_way(word); }
inline void parse_word(const std::string& word, VmmKind& v) { v = parse_vmm_kind(word); }
inline void parse_word(const std::string& word, Accel& v) { v = parse_accel(word); }
inline void parse_word(const std::string& word, ObjectKind& v) { v = parse_object_kind(word); }

template <typename T>
void put(Query& q, int i, const T& v) {
  if constexpr (std::is_enum_v<T>)
    q.bind(i, name_of(v));
  else if constexpr (std::integral<T>)
    q.bind(i, static_cast<int64_t>(v));
  else
    q.bind(i, v); // text, double
}
inline void put(Query& q, int i, const WallTime& v) { q.bind(i, v.ns); }
template <typename T>
void put(Query& q, int i, const std::optional<T>& v) {
  v ? put(q, i, *v) : q.bind_null(i);
}

template <typename T>
void get(const Query& q, int i, T& v) {
  if constexpr (std::is_enum_v<T>)
    parse_word(q.text(i), v);
  else if constexpr (std::same_as<T, bool>)
    v = q.number(i) != 0;
  else if constexpr (std::integral<T>)
    v = static_cast<T>(q.number(i));
  else if constexpr (std::same_as<T, double>)
    v = q.real(i);
  else
    v = q.text(i);
}
inline void get(const Query& q, int i, WallTime& v) { v.ns = q.number(i); }
template <typename T>
void get(const Query& q, int i, std::optional<T>& v) {
  if (q.is_null(i)) return v.reset();
  get(q, i, v.emplace());
}

// The visitors.
struct PutColumns {
  Query& query;
  int count = 0;
  void operator()(const char*, const auto& value) { put(query, count++, value); }
};
struct GetColumns {
  const Query& query;
  int count = 0;
  void operator()(const char*, auto& value) { get(query, count++, value); }
};

// Stores what differs in the row whose column `key` is `id`. A column that is not set again costs
// no write to its index.
template <typename T, typename EachColumn>
void update_row(Db& db, const char* table, const char* key, const std::string& id, const T& before,
                const T& now, EachColumn&& each) {
  std::vector<std::any> values;
  each(before, [&](const char*, const auto& value) { values.emplace_back(value); });
  std::string sets;
  size_t at = 0;
  auto each_change = [&](auto&& f) {
    at = 0;
    each(now, [&](const char* column, const auto& value) {
      using V = std::remove_cvref_t<decltype(value)>;
      if (std::any_cast<const V&>(values[at++]) != value) f(column, value);
    });
  };
  each_change([&](const char* column, const auto&) {
    sets += fmt::format("{}{} = ?", sets.empty() ? "" : ", ", column);
  });
  if (sets.empty()) return;
  Query q = db.query(fmt::format("UPDATE {} SET {} WHERE {} = ?", table, sets, key));
  PutColumns put_next{q};
  each_change(put_next);
  q.bind(put_next.count, id);
  q.next();
}

// The statements of a table.
struct TableSql {
  std::string columns;   // "id, name, …"
  std::string qualified; // "vm.id, vm.name, …"
  std::string insert;    // all columns are parameters, after `key`

  // `key`: a column that is no member of T; empty: there is none.
  template <typename T, typename EachColumn>
  static TableSql of(std::string_view table, EachColumn&& each, std::string_view key = {}) {
    TableSql sql;
    std::string marks = key.empty() ? "" : "?", inserted(key);
    const T none{};
    each(none, [&](const char* column, const auto&) {
      auto comma = [](const std::string& list) { return list.empty() ? "" : ", "; };
      sql.qualified += fmt::format("{}{}.{}", comma(sql.qualified), table, column);
      sql.columns += fmt::format("{}{}", comma(sql.columns), column);
      inserted += fmt::format("{}{}", comma(inserted), column);
      marks += marks.empty() ? "?" : ", ?";
    });
    sql.insert = fmt::format("INSERT INTO {} ({}) VALUES ({})", table, inserted, marks);
    return sql;
  }
};

// The id that a reference means: of the row with that name, else of the only one whose id begins
// so. `table` is "vm" or "image"; `noun` is for people. Throws Error(usage) for a prefix of
// several.
std::optional<std::string> find_id(Db& db, std::string_view table, std::string_view noun,
                                   const std::string& ref);
// Error(not_found) for a reference that means nothing, with did-you-mean.
Error no_such(Db& db, std::string_view table, std::string_view noun, const std::string& ref);

} // namespace banger::state
