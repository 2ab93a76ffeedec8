#define OPENSSL_SUPPRESS_DEPRECATED // the EVP functions that replace these load providers
#include "archive/sha256.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

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

namespace {

// Blocks come in the order of the file, in pieces of any length; what does not come is zeros.
class DataDigest {
public:
  explicit DataDigest(int64_t size) { add_number(size); }

  void add(int64_t offset, std::string_view data) {
    while (!data.empty()) {
      int64_t number = offset / block_size;
      auto in_block = static_cast<size_t>(offset % block_size);
      if (number != number_) end_block();
      number_ = number;
      size_t n = std::min(data.size(), block_.size() - in_block);
      if (n == block_.size()) {
        add_block(data.substr(0, n));
      } else {
        std::memcpy(block_.data() + in_block, data.data(), n);
        is_begun_ = true;
      }
      offset += static_cast<int64_t>(n);
      data.remove_prefix(n);
    }
  }

  std::string hex() {
    end_block();
    return sum_.hex();
  }

private:
  static constexpr int64_t block_size = 4096;

  void end_block() {
    if (!std::exchange(is_begun_, false)) return;
    add_block({block_.data(), block_.size()});
    block_.fill('\0');
  }

  void add_block(std::string_view block) {
    if (sys::is_zero(block)) return;
    add_number(number_);
    sum_.update(block);
  }

  void add_number(int64_t number) {
    std::array<char, 8> bytes;
    for (size_t i = 0; i < bytes.size(); i++) bytes[i] = static_cast<char>(number >> (8 * i));
    sum_.update(bytes.data(), bytes.size());
  }

  Sha256 sum_;
  int64_t number_ = 0;
  bool is_begun_ = false; // block_ has a piece of it
  std::array<char, block_size> block_{};
};

} // namespace

std::string sha256_of_data(const std::string& path, const std::function<void()>& between) {
  Fd fd = sys::open_file(path, O_RDONLY);
  int64_t size = sys::size_of(fd.get());
  DataDigest digest(size);
  auto next = sys::chunks_of(fd.get(), size, path);
  while (auto chunk = next()) {
    if (between) between();
    digest.add(chunk->offset, chunk->data);
  }
  return digest.hex();
}

} // namespace banger::archive
