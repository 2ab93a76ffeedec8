#include "archive/sources.h"

#include <cerrno>
#include <memory>

#include <unistd.h>

#include "archive/input.h"
#include "core/error.h"

namespace banger::archive {

namespace {

size_t read_data(Input& input, std::span<char> buffer) {
  la_ssize_t n = archive_read_data(input.get(), buffer.data(), buffer.size());
  input.check(n < 0 ? static_cast<int>(n) : ARCHIVE_OK);
  return static_cast<size_t>(n);
}

} // namespace

Pull pull_file(int fd, std::string name) {
  return [fd, name = std::move(name)](std::span<char> buffer) {
    for (;;) {
      ssize_t n = ::read(fd, buffer.data(), buffer.size());
      if (n >= 0) return static_cast<size_t>(n);
      if (errno != EINTR) throw sys_error(errno, "cannot read '{}'", name);
    }
  };
}

Pull after(std::string head, Pull rest) {
  return [head = std::move(head), rest = std::move(rest),
          at = size_t{0}](std::span<char> buffer) mutable -> size_t {
    if (at == head.size()) return rest(buffer);
    size_t n = head.copy(buffer.data(), buffer.size(), at);
    at += n;
    if (at == head.size()) head = {}, at = 0;
    return n;
  };
}

Pull unpacking(Pull packed, std::string name) {
  auto input = std::make_shared<Input>(std::move(packed), std::move(name));
  archive_read_support_filter_gzip(input->get());
  archive_read_support_filter_xz(input->get());
  archive_read_support_filter_zstd(input->get());
  archive_read_support_filter_bzip2(input->get());
  archive_read_support_format_raw(input->get());
  archive_read_support_format_empty(input->get());
  return [input, open = false, ended = false](std::span<char> buffer) mutable -> size_t {
    if (!open) {
      open = true;
      input->open();
      ended = !input->next();
    }
    if (ended) return 0;
    size_t n = read_data(*input, buffer);
    ended = n == 0;
    if (ended) input->end("the end of what is packed");
    return n;
  };
}

Pull pull_package(const std::string& path) {
  Handle package(archive_read_new());
  archive_read_support_format_ar(package.get());
  if (archive_read_open_filename(package.get(), path.c_str(), size_t{1} << 18) != ARCHIVE_OK)
    throw archive_error(package.get(), "open", path);
  archive_entry* member;
  for (;;) {
    int result = archive_read_next_header(package.get(), &member);
    if (result == ARCHIVE_EOF) throw failed("'{}' is not a Debian package", path);
    if (result != ARCHIVE_OK) throw archive_error(package.get(), "read", path);
    if (std::string_view(archive_entry_pathname(member)).starts_with("data.tar")) break;
  }
  return [package = std::shared_ptr<struct ::archive>(std::move(package)),
          path](std::span<char> buffer) {
    la_ssize_t n = archive_read_data(package.get(), buffer.data(), buffer.size());
    if (n < 0) throw archive_error(package.get(), "read", path);
    return static_cast<size_t>(n);
  };
}

} // namespace banger::archive
