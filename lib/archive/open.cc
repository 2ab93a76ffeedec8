// The openers that need decompressors, apart: a program that reads plain tars does not get them.
#include "archive/reader.h"
#include "archive/sources.h"

namespace banger::archive {

Reader Reader::of_file(int fd, const std::string& name) {
  return Reader(unpacking(pull_file(fd, name), name), name);
}

Reader Reader::of_package(const std::string& path) {
  return Reader(unpacking(pull_package(path), path), path);
}

} // namespace banger::archive
