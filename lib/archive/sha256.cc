#define OPENSSL_SUPPRESS_DEPRECATED // the EVP functions that replace these load providers
#include "archive/sha256.h"

#include <array>
#include <fcntl.h>
#include <vector>

#include <openssl/sha.h>
#include <unistd.h>

#include "core/error.h"
#include "sys/file.h"

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

std::string sha256_fd(int fd, const std::string& path) {
  Sha256 sum;
  std::vector<char> buffer(size_t{1} << 18);
  for (off_t offset = 0;;) {
    ssize_t n = pread(fd, buffer.data(), buffer.size(), offset);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw sys_error(errno, "cannot read '{}'", path);
    if (n == 0) return sum.hex();
    sum.update(buffer.data(), static_cast<size_t>(n));
    offset += n;
  }
}

std::string sha256_file(const std::string& path) {
  Fd fd = sys::open_file(path, O_RDONLY);
  return sha256_fd(fd.get(), path);
}

} // namespace banger::archive
