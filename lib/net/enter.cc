#include <cstdio>

#include "core/error.h"
#include "core/handle.h"
#include "core/text.h"
#include "core/units.h"
#include "model/confinement.h"
#include "net/helpers.h"
#include "sys/cell.h"
#include "sys/confine.h"
#include "sys/file.h"
#include "sys/namespace.h"
#include "sys/own_namespaces.h"
#include "sys/process.h"
#include "sys/wait.h"

namespace banger::net {

namespace {

std::optional<sys::Use> use_of(std::string_view option) {
  if (option == "--read") return sys::Use::read;
  if (option == "--write") return sys::Use::write;
  if (option == "--device") return sys::Use::device;
  if (option == "--directory") return sys::Use::directory;
  if (option == "--sockets") return sys::Use::sockets;
  return {};
}

// Goes on in the process that becomes the program.
void confine(const std::vector<sys::Reach>& reaches, bool tcp, bool own_network, Fd report) {
  if (report)
    if (auto fault = sys::enter_cell(reaches, report)) {
      Confinement left{false, sys::landlock_version()};
      std::fprintf(stderr,
                   "banger-enter: no root directory of its own for the VMM: %s\n"
                   "banger-enter: what is left is %s; open to it: %s\n",
                   fault->what(), left.landlock ? to_text(left).c_str() : "nothing",
                   left.landlock ? join(left_open(left, own_network), ", ").c_str()
                                 : "all that its user reaches");
    }
  sys::drop_capabilities(tcp);
  // Root's VMM has no right over files of others; what that says of it names no file of the host's.
  for (const sys::Reach& reach : reaches)
    if (sys::is_denied(reach))
      std::fprintf(stderr, "banger-enter: owner and mode of '%s' keep the VMM from it\n",
                   reach.path.c_str());
  if (!sys::forbid_namespaces())
    std::fputs("banger-enter: this kernel keeps no process from making namespaces\n", stderr);
  sys::confine(reaches, tcp);
}

void try_cell() {
  sys::Pipe report = sys::make_pipe();
  std::vector<sys::Reach> here{{sys::real_path("."), sys::Use::read}};
  // The process that called this ends in there.
  if (auto fault = sys::enter_cell(here, report.write)) throw std::move(*fault);
}

} // namespace

void enter_network(const std::vector<std::string>& words) {
  if (words == std::vector<std::string>{"try"}) return try_cell();
  int net = -1, user = -1;
  int64_t file_size = 0;
  Fd report;
  std::string confined;
  std::vector<sys::Reach> reaches;
  size_t at = 0;
  for (; at + 1 < words.size() && words[at] != "--"; at += 2) {
    const std::string &option = words[at], &value = words[at + 1];
    if (auto use = use_of(option))
      reaches.push_back({value, *use});
    else if (option == "--confine")
      confined = value;
    else if (option == "--file-size")
      file_size = parse_number("size", value, 1, INT64_MAX);
    else if (option == sys::cell_word)
      continue; // for those who look at the command line
    else if (option == "--net" || option == "--user" || option == "--report") {
      int fd = static_cast<int>(parse_number("descriptor", value, 3, 1 << 20));
      if (option == "--report")
        report.reset(fd);
      else
        (option == "--net" ? net : user) = fd;
    } else
      throw usage("unknown option '{}'", option);
  }
  if (at + 1 >= words.size() || words[at] != "--")
    throw usage("unknown request '{}'", join(words, " "));
  if (net >= 0) sys::enter(net, user);
  if (file_size) sys::bound_files(file_size);
  if (!confined.empty()) confine(reaches, confined == "tcp", net >= 0, std::move(report));
  std::vector<std::string> program(words.begin() + static_cast<std::ptrdiff_t>(at) + 1,
                                   words.end());
  sys::exec({program, {}, {}, false}, sys::Keep::inherited); // what the monitor named
}

} // namespace banger::net
