// The ends that standard output and error are connected to.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

namespace banger::cli {

// Back to the first column, and the line is empty.
inline constexpr const char* erase_line = "\r\033[K";

bool is_terminal(int fd);
// A terminal of which TERM says that it knows control sequences.
bool can_erase(int fd);
// Columns of the terminal behind fd; none where it is no terminal. One that does not know counts
// as 80 wide.
std::optional<size_t> terminal_width(int fd);
// Columns of the place where people read standard output: the terminal's; of a pipe or socket,
// COLUMNS, which watch(1) and others that know the width of the other end give their command. 0
// where it is unknown: nothing is cut for a program or a file.
size_t output_width();
// The text that makes a terminal show `text` instead of its screen before; cut to its height.
// Anywhere else it is `text` itself and an empty line.
std::string repaint(int fd, const std::string& text);
// A pipe or socket: the end of a pipeline's other program.
bool is_pipe(int fd);
// Standard output if it is a pipe or socket, whose reader may leave; else -1. A verb that follows
// something for long ends then (Loop::watch_hangup; it may be readable all the time).
int pipe_of_stdout();

// The terminal behind a descriptor without line editing, echo and signals, for as long as this
// lives: every byte that is typed arrives as it is. Output to it is treated as before, unless
// `output` says that it is made for a terminal already. A descriptor that is no terminal is left
// alone. Signals that end or stop a program are held back meanwhile and come after the terminal was
// put back, unless a loop takes them (sys/signals.h).
class RawTerminal {
public:
  explicit RawTerminal(int fd, bool output = false);
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;
  ~RawTerminal();

private:
  struct Saved;
  std::unique_ptr<Saved> saved_;
};

} // namespace banger::cli
