// libexec/banger/banger-mapper: maps and unmaps root disks by device-mapper (disk/mapper.h).
//
// Started by monitors and by verbs that give back what a VM had, with a request on standard input;
// not for people. The word is there for ps.
#include <cstdio>
#include <exception>
#include <string_view>

#include "disk/mapper.h"

int main(int argc, char** argv) {
  if (argc != 2 || argv[1][0] == '-') {
    std::fputs("banger-mapper is started by other programs; see banger vm start --help\n", stderr);
    return argc == 2 && std::string_view(argv[1]) == "--help" ? 0 : 2;
  }
  try {
    return banger::disk::serve_mapper(0, 1);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "banger-mapper: %s\n", e.what());
    return 1;
  }
}
