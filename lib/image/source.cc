#include "image/source.h"

#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"
#include "core/text.h"
#include "sys/file.h"

namespace banger::image {

namespace {

Source standard_input() {
  if (::isatty(STDIN_FILENO))
    throw usage("cannot import from a terminal: standard input must be a file or a pipe")
        .hint("curl -L URL | banger image import NAME -");
  Fd fd(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3));
  if (!fd) throw sys_error(errno, "cannot read standard input");
  return {.kind = SourceKind::stream, .name = "standard input", .path = {}, .file = std::move(fd)};
}

// Claimed while it is read: a mounted device changes meanwhile, and a copy of it would be broken.
Fd open_device(const std::string& path) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_EXCL | O_CLOEXEC));
  if (fd) return fd;
  int error = errno;
  if (error == EBUSY)
    throw conflict("cannot import '{}': the device is in use, mounted or part of another", path)
        .hint("unmount it, or import the directory where it is mounted");
  Error e = sys_error(error, "cannot open '{}'", path);
  if (error == EACCES)
    e.default_hint(fmt::format("sudo cat {} | banger image import NAME -", shell_quote(path)));
  throw e;
}

// A name of something in a registry, or of a download, gets a hint how those files get here.
Error not_there(const std::string& path) {
  Error e = not_found("there is no '{}'", path);
  e.default_subject(path);
  size_t scheme = path.find("://");
  if (path.starts_with("http") && scheme != path.npos)
    e.default_hint(fmt::format("nothing is downloaded: curl -L {} | banger image import NAME -",
                               shell_quote(path)));
  else if (path.find(':') != path.npos)
    e.default_hint("a container's files are what docker export CONTAINER prints: … | banger image "
                   "import NAME -");
  return e;
}

} // namespace

Source open_source(const std::string& path) {
  if (path == "-") return standard_input();
  struct stat st {};
  if (::stat(path.c_str(), &st) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) throw not_there(path);
    throw sys_error(errno, "cannot look at '{}'", path);
  }
  Source source;
  source.name = path;
  if (S_ISDIR(st.st_mode)) {
    source.kind = SourceKind::directory;
  } else if (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode)) {
    source.kind = SourceKind::file;
    source.device = S_ISBLK(st.st_mode);
    source.file = source.device ? open_device(path) : sys::open_file(path, O_RDONLY);
    source.size = ::lseek(source.file.get(), 0, SEEK_END);
    if (source.size < 0 && errno == EINVAL) { // as most files of /proc: read from front to end
      source.kind = SourceKind::stream;
      source.size = 0;
      return source;
    }
    if (source.size < 0 || ::lseek(source.file.get(), 0, SEEK_SET) != 0)
      throw sys_error(errno, "cannot read '{}'", path);
  } else if (S_ISFIFO(st.st_mode)) {
    source.kind = SourceKind::stream;
    source.file = sys::open_file(path, O_RDONLY);
    return source; // /dev/fd/63 is no place that anybody finds again
  } else {
    throw usage("cannot import '{}': it is {}", path,
                S_ISSOCK(st.st_mode) ? "a socket" : "no file, disk or directory");
  }
  source.path = sys::real_path(path);
  return source;
}

} // namespace banger::image
