// SHA-256, with libcrypto's low-level functions: the one part of libcrypto that a static tool can
// carry for a few kilobytes. Digests are 64 lower-case hex digits.
#pragma once

#include <cstddef>
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
  // The digest of all that was given; the object must not be used after it.
  std::string hex();

private:
  struct Context;
  std::unique_ptr<Context> context_;
};

std::string sha256_hex(std::string_view data);

// Of a file's whole content, holes as zeros: they are not read. Throws Error that quotes the path.
std::string sha256_file(const std::string& path);

} // namespace banger::archive
