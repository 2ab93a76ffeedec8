#define OPENSSL_SUPPRESS_DEPRECATED // the EVP functions that replace these load providers
#include "archive/sha256.h"

#include <algorithm>
#include <array>
#include <fcntl.h>

#include <openssl/sha.h>

#include "core/error.h"
#include "sys/file.h"
#include "sys/sparse.h"

namespace banger::archive {

struct Sha256::Context {
  SHA256_CTX ctx;
};

Sha256::Sha256() : context_(std::make_unique<Context>()) { SHA256_Init(&context_->ctx); }
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;
Sha256::~Sha256() = default;

void Sha256::update(const void* data, size_t size) { SHA256_Update(&context_->ctx, data, size); }

std::string Sha256::hex() {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest;
  SHA256_Final(digest.data(), &context_->ctx);
  std::string text;
  text.reserve(2 * digest.size());
  for (unsigned char byte : digest) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

std::string sha256_hex(std::string_view data) {
  Sha256 sum;
  sum.update(data);
  return sum.hex();
}

std::string sha256_file(const std::string& path) {
  static constexpr std::array<char, size_t{1} << 16> zeros{};
  Fd fd = sys::open_file(path, O_RDONLY);
  int64_t size = sys::size_of(fd.get()), at = 0;
  Sha256 sum;
  auto skip_to = [&](int64_t end) {
    while (at < end) {
      auto n = std::min<int64_t>(end - at, zeros.size());
      sum.update(zeros.data(), static_cast<size_t>(n));
      at += n;
    }
  };
  auto next = sys::chunks_of(fd.get(), size, path);
  while (auto chunk = next()) {
    skip_to(chunk->offset);
    sum.update(chunk->data);
    at += static_cast<int64_t>(chunk->data.size());
  }
  skip_to(size);
  return sum.hex();
}

} // namespace banger::archive
