// The programs named banger-SUB that `banger SUB` runs, git style.
//
// Looked for beside the running program, then in libexec/banger (but for the programs that banger's
// own start), then in PATH (absolute entries only: a file that happens to lie in the current
// directory is never run).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/config.h"

namespace banger::cli {

class Subcommands {
public:
  // `executable`: the running program's own path (this_executable()).
  Subcommands(const Environment& env, const std::string& executable);

  // The path of banger-NAME.
  std::optional<std::string> find(std::string_view name) const;
  // The names of all that are there, sorted; internal programs (libexec) are not among them.
  std::vector<std::string> list() const;

private:
  std::string own_, libexec_;
  std::vector<std::string> path_;
};

// Becomes the program at `path`; returns only by throwing. The one thing of this room that is not
// parsing or printing: the dispatcher has no operation of its own (ops), so it stands here.
[[noreturn]] void become(const std::string& path, std::vector<std::string> words);

} // namespace banger::cli
