#include "guest/identity/keygen.h"

#include <memory>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "core/error.h"
#include "sys/file.h"
#include "sys/lock.h"

namespace banger::guest {

namespace {

using EvpKey = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

EvpKey private_key(const KeyPair& key) {
  EvpKey evp(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, key.secret.data(), key.secret.size()),
      EVP_PKEY_free);
  if (!evp) throw failed("cannot use an ed25519 key: libcrypto refuses it");
  return evp;
}

} // namespace

void prepare_crypto() { OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr); }

KeyPair generate_key() {
  prepare_crypto();
  EvpKey evp(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"), EVP_PKEY_free);
  KeyPair key;
  size_t secret = key.secret.size(), open = key.open.size();
  if (!evp || EVP_PKEY_get_raw_private_key(evp.get(), key.secret.data(), &secret) != 1 ||
      EVP_PKEY_get_raw_public_key(evp.get(), key.open.data(), &open) != 1)
    throw failed("cannot make an ed25519 key: libcrypto refuses");
  return key;
}

std::string sign(const KeyPair& key, std::string_view message) {
  prepare_crypto();
  EvpKey evp = private_key(key);
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                  EVP_MD_CTX_free);
  std::string signature(64, '\0');
  size_t size = signature.size();
  if (!context || EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, evp.get()) != 1 ||
      EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                     reinterpret_cast<const unsigned char*>(message.data()), message.size()) != 1 ||
      size != signature.size())
    throw failed("cannot sign with an ed25519 key: libcrypto refuses");
  return signature;
}

StateKey ensure_state_key(const std::string& keys_dir) {
  std::string path = keys_dir + "/id_ed25519";
  auto read = [&] { return std::pair(sys::find_content(path), sys::find_content(path + ".pub")); };
  auto result_of = [&](const std::string& text) {
    try {
      return StateKey{path, public_line(parse_openssh_private(text), "banger")};
    } catch (Error& e) {
      throw std::move(e.within(fmt::format("cannot use '{}'", path)))
          .hint(fmt::format("move it aside: mv {0} {0}.bad (a new one is made; VMs that exist know "
                            "only the old one)",
                            path));
    }
  };
  // Nearly always all is there, and nothing needs the lock.
  if (auto [secret, open] = read(); secret && open) {
    StateKey found = result_of(*secret);
    if (*open == found.public_line + "\n") return found;
  }
  sys::make_dirs(keys_dir);
  auto lock = sys::FileLock::take(path + ".lock");
  auto [secret, open] = read();
  if (!secret) {
    secret = openssh_private(generate_key(), "banger");
    sys::write_atomic(path, *secret);
  }
  StateKey result = result_of(*secret);
  // Last: a public half says that the private one is whole.
  if (open != result.public_line + "\n")
    sys::write_atomic(path + ".pub", result.public_line + "\n");
  return result;
}

} // namespace banger::guest
