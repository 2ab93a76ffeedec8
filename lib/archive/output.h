// libarchive's writer onto a function. For this room's own files.
//
// Set a form on get(), open(), then header() and write() in turns, close(). Destroyed before
// close() it passes on nothing more: the archive is broken, and meant to be seen so.
#pragma once

#include <exception>
#include <functional>
#include <string_view>

#include "archive/handle.h"

namespace banger::archive {

class Output {
public:
  using Sink = std::function<void(std::string_view)>;
  // `what` it is, for errors.
  Output(Sink sink, std::string_view what) : sink_(std::move(sink)), what_(what) {}
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;
  ~Output();

  struct ::archive* get() const {
    return archive_.get();
  }
  void open();
  void header(archive_entry* entry);
  void write(std::string_view data);
  void close();

private:
  static la_ssize_t pass_on(struct ::archive* a, void* self, const void* data, size_t size);
  void check(int result);

  Sink sink_;
  std::string_view what_;
  std::exception_ptr failure_; // of the sink: libarchive is C, nothing may be thrown through it
  Handle archive_{archive_write_new()};
};

} // namespace banger::archive
