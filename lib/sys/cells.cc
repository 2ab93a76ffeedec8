#include "sys/cells.h"

#include <algorithm>
#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/text.h"
#include "sys/cell.h"
#include "sys/file.h"
#include "sys/proc.h"
#include "sys/wait.h"

namespace banger::sys {

namespace {

// The begin of a file of a process; none where it has gone.
std::optional<std::string> find_begin(const std::string& process, const char* file) {
  try {
    auto fd = find_file("/proc/" + process + "/" + file, O_RDONLY);
    if (fd) return read_at(fd->get(), 0, 16384);
  } catch (const Error&) { // it is just ending, or shows nothing to this user
  }
  return {};
}

// Its numbers in the process namespaces that it is in, the innermost last; none where it has gone.
std::vector<std::string> numbers_of(const std::string& process) {
  auto status = find_begin(process, "status");
  constexpr std::string_view key = "\nNSpid:\t";
  size_t at = status ? status->find(key) : std::string::npos;
  if (at == std::string::npos) return {};
  at += key.size();
  return split(status->substr(at, status->find('\n', at) - at), '\t');
}

// Of a process that has the name of a cell's first; none where it is none, or says nothing of whose
// it is.
std::optional<std::string> dir_of(const ProcessInfo& p, size_t own_depth) {
  std::string process = fmt::format("{}", p.id.pid);
  std::vector<std::string> numbers = numbers_of(process);
  if (numbers.size() != own_depth + 1 || numbers.back() != "1") return {};
  auto line = find_begin(process, "cmdline");
  if (!line) return {};
  if (line->empty()) return std::string();
  std::vector<std::string> words = split(*line, '\0');
  // The last one may have been cut.
  if (words.size() < 4 || words[1] != cell_word) return {};
  return words[2];
}

std::optional<std::string> find_real(const std::string& dir) {
  try {
    return real_path(dir);
  } catch (const Error& e) {
    if (e.error_number() == ENOENT) return {};
    throw;
  }
}

} // namespace

std::vector<Cell> list_cells() {
  std::vector<Cell> all;
  size_t own_depth = numbers_of("self").size();
  for (const ProcessInfo& p : list_processes())
    if (p.comm == cell_name && p.uid == ::geteuid())
      if (auto dir = dir_of(p, own_depth)) all.push_back({p.id, *dir});
  return all;
}

std::optional<Fd> open_cell(const std::string& dir) {
  auto real = find_real(dir);
  if (!real) return {};
  for (const Cell& cell : list_cells())
    if (cell.dir == *real)
      if (auto fd = open_process(cell.first)) return fd;
  return {};
}

void end_cell(const std::string& dir, Millis patience) {
  auto real = find_real(dir);
  if (!real) return;
  std::vector<std::pair<Cell, Fd>> ending;
  for (Cell& cell : list_cells()) {
    if (!cell.dir.empty() && cell.dir != *real) continue;
    auto fd = open_process(cell.first);
    if (!fd) continue;
    if (!cell.dir.empty()) send_signal(cell.first, SIGKILL);
    ending.emplace_back(std::move(cell), std::move(*fd));
  }
  Deadline deadline(patience);
  for (const auto& [cell, fd] : ending)
    // One that was ending goes on by itself; it may wait for whoever is to reap its last process.
    if (!wait_readable(fd.get(), Millis(deadline.poll_ms())) && !cell.dir.empty())
      throw failed("cannot end process {}: it does not die", cell.first.pid);
}

uint64_t cell_of(int pid) {
  struct stat st {};
  return ::stat(fmt::format("/proc/{}/ns/pid", pid).c_str(), &st) == 0 ? st.st_ino : 0;
}

bool is_outside_of(int pid, uint64_t cell) {
  size_t depth = numbers_of(fmt::format("{}", pid)).size();
  if (depth == 0) return false;
  if (depth <= numbers_of("self").size()) return true;
  uint64_t own = cell_of(pid);
  return own != 0 && cell != 0 && own != cell;
}

} // namespace banger::sys
