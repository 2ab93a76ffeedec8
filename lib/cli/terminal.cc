#include "cli/terminal.h"

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstdlib>

#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "sys/signals.h"

namespace banger::cli {

bool is_terminal(int fd) { return ::isatty(fd) == 1; }

bool can_erase(int fd) {
  const char* term = std::getenv("TERM");
  std::string_view type = term ? term : "";
  return is_terminal(fd) && !type.empty() && type != "dumb" && type != "none" && type != "unknown";
}

std::optional<size_t> terminal_width(int fd) {
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) != 0) return std::nullopt;
  return size.ws_col == 0 ? 80 : size.ws_col;
}

size_t output_width() {
  if (auto width = terminal_width(STDOUT_FILENO)) return *width;
  const char* said = std::getenv("COLUMNS");
  if (!said || !is_pipe(STDOUT_FILENO)) return 0;
  std::string_view text = said;
  size_t columns = 0;
  auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), columns);
  return ec == std::errc{} && end == text.data() + text.size() ? columns : 0;
}

std::string repaint(int fd, const std::string& text) {
  if (!can_erase(fd)) return text + "\n";
  winsize size{};
  size_t rows = ::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_row > 1 ? size.ws_row : 24;
  // From the top left, each line over the one before, so that nothing flickers; no mode is changed,
  // so there is nothing to put back.
  std::string out = "\033[H";
  size_t begin = 0;
  for (size_t row = 1; begin < text.size() && row < rows; row++) {
    size_t end = std::min(text.find('\n', begin), text.size());
    out += text.substr(begin, end - begin) + "\033[K\n";
    begin = end + 1;
  }
  return out + "\033[J";
}

bool is_pipe(int fd) {
  struct stat st {};
  return ::fstat(fd, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode));
}

int pipe_of_stdout() { return is_pipe(STDOUT_FILENO) ? STDOUT_FILENO : -1; }

struct RawTerminal::Saved {
  Saved(int terminal, const termios& now) : fd(terminal), before(now) {}
  sys::Signals held{SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGTSTP};
  int fd;
  termios before;
};

RawTerminal::RawTerminal(int fd, bool output) {
  termios before{};
  if (::tcgetattr(fd, &before) != 0) return;
  termios raw = before;
  raw.c_iflag &= ~static_cast<tcflag_t>(BRKINT | ICRNL | INLCR | IGNCR | ISTRIP | IXON);
  raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO | ECHONL | ISIG | IEXTEN);
  if (output) raw.c_oflag &= ~static_cast<tcflag_t>(OPOST);
  raw.c_cc[VMIN] = 1;
  raw.c_cc[VTIME] = 0;
  auto saved = std::make_unique<Saved>(fd, before);
  if (::tcsetattr(fd, TCSADRAIN, &raw) == 0) saved_ = std::move(saved);
}

RawTerminal::~RawTerminal() {
  // Not TCSAFLUSH: words that were typed ahead are for the shell.
  if (saved_) ::tcsetattr(saved_->fd, TCSADRAIN, &saved_->before);
}

} // namespace banger::cli
