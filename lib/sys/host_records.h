// What root remembers of this host for all its users until the next boot: small files in
// /run/banger, each NAME.KIND.
#pragma once

#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/error.h"
#include "sys/lock.h"

namespace banger::sys {

// Anybody may look into it, and root alone write. Root's own VMs have their directories there, too,
// which nobody else enters.
inline constexpr const char* host_directory = "/run/banger";
// Where such a file lies, and the NAMEs that there are: for anybody who may look.
std::string host_record(const std::string& name, const std::string& kind);
std::vector<std::string> host_record_names(const std::string& kind);

// For root alone.
class HostRecords {
public:
  // Makes the directory, or opens it. Throws Error(preflight) where another than root could write
  // to it. `most`: bytes that are read of one.
  HostRecords(const std::string& kind, size_t most);
  // Held while a record is read to be changed, and changed: one for all kinds and users.
  FileLock lock() const;
  // What `parse` makes of a record. Error(failed) that names it and says why, with `way_out` as the
  // hint, for one that `parse` throws an Error of, and for one that another than root may have
  // written.
  template <typename Parse>
  auto find(const std::string& name, const std::string& way_out, Parse&& parse) const
      -> std::optional<std::invoke_result_t<Parse, const std::string&>> {
    try {
      auto text = content(name);
      if (!text) return {};
      return std::forward<Parse>(parse)(*text);
    } catch (const Error& e) {
      throw failed("the record '{}' cannot be read: {}", path_of(name), e.message())
          .hint(e.hint().empty() ? way_out : e.hint());
    }
  }
  bool has(const std::string& name) const;
  std::vector<std::string> names() const;
  // At once; until the next boot.
  void write(const std::string& name, const std::string& content);
  void remove(const std::string& name);
  // For who uses the file itself.
  std::string path_of(const std::string& name) const;

private:
  std::optional<std::string> content(const std::string& name) const;

  std::string kind_;
  size_t most_;
};

} // namespace banger::sys
