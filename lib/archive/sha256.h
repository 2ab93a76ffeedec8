// SHA-256, with libcrypto's low-level functions: the one part of libcrypto that adds only a few
// kilobytes to a static tool. Digests are 64 lower-case hex digits.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace banger::archive {

class Sha256 {
public:
  Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  ~Sha256();

  void update(const void* data, size_t size);
  void update(std::string_view data) { update(data.data(), data.size()); }
  // The digest of all bytes given so far; the object must not be used after it.
  std::string hex();

private:
  struct Context;
  std::unique_ptr<Context> context_;
};

std::string sha256_hex(std::string_view data);

// The digest of a file's content. Holes count as zeros and are not read. Error quotes the path.
std::string sha256_file(const std::string& path);

// Another digest of a file's content, which costs what its data is, however large its holes are:
// that of its size (8 bytes, little-endian) and of its blocks of 4096 bytes that are not all zeros,
// in their order, each behind its number (8 bytes again), the last one filled up with zeros. So
// it is the same where zeros are a hole and where they are not. Error quotes the path. `between` is
// called before each piece, and may throw.
std::string sha256_of_data(const std::string& path, const std::function<void()>& between = {});

} // namespace banger::archive
