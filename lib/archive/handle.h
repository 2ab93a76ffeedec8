// libarchive's objects, owned, and its failures as Error. For this room's own files.
#pragma once

#include <locale.h>
#include <memory>
#include <string_view>

#include <archive.h>
#include <archive_entry.h>

#include "core/error.h"

namespace banger::archive {

struct Free {
  void operator()(struct ::archive* a) const { archive_free(a); }
  void operator()(archive_entry* e) const { archive_entry_free(e); }
};
using Handle = std::unique_ptr<struct ::archive, Free>;
using EntryHandle = std::unique_ptr<archive_entry, Free>;

inline Error archive_error(struct ::archive* a, std::string_view doing, std::string_view subject) {
  const char* told = archive_error_string(a);
  std::string_view why = told ? told : "";
  // Each of its readers has words of its own for an input that ends too early; xz's are the last.
  for (std::string_view word : {"", "runcated", "No progress is possible"})
    if (word.empty() ? why.empty() : why.find(word) != why.npos)
      why = "it is cut short, or damaged";
  return failed("cannot {} '{}': {}", doing, subject, why);
}

// File names are bytes to Debian and UTF-8 in a pax header; libarchive converts by the thread's
// locale and drops what it cannot, so that the "C" locale loses names. While a Scope lives, the
// thread's names are UTF-8.
class Utf8Names {
public:
  Utf8Names() : utf8_(newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)) {}
  Utf8Names(const Utf8Names&) = delete;
  Utf8Names& operator=(const Utf8Names&) = delete;
  ~Utf8Names() {
    if (utf8_) freelocale(utf8_);
  }

  class Scope {
  public:
    explicit Scope(const Utf8Names& names) : old_(uselocale(names.utf8_)) {}
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    ~Scope() { uselocale(old_); }

  private:
    locale_t old_;
  };

private:
  locale_t utf8_;
};

} // namespace banger::archive
