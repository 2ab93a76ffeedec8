#include "guest/identity/seed.h"

#include <algorithm>

#include <sys/stat.h>

#include "archive/cpio.h"
#include "core/error.h"
#include "core/text.h"

namespace banger::guest {

namespace {

const std::string& checked(std::string_view what, const std::string& value) {
  for (unsigned char c : value)
    if (c < 0x20 || c == 0x7f)
      throw failed("invalid {} '{}' for a guest: it has a control character", what,
                   escape_for_terminal(value));
  return value;
}

} // namespace

std::vector<SeedFile> identity_files(const Seed& seed, std::string_view zone,
                                     const KeyPair& host_key, std::string_view authorized) {
  const auto& name = checked("host name", seed.hostname);
  const auto& address = checked("address", seed.address);
  std::string domain = checked("zone", std::string(zone));
  std::string key_line = checked("public key", std::string(trim(authorized)));

  std::vector<SeedFile> files;
  files.push_back({"etc/hostname", 0644, name + "\n"});
  files.push_back({"etc/hosts", 0644,
                   fmt::format("127.0.0.1 localhost\n{} {}.{} {}\n"
                               "::1 localhost ip6-localhost ip6-loopback\n",
                               address, name, domain, name)});
  std::string resolver = fmt::format("search {}\n", domain);
  if (!seed.dns.empty()) resolver += fmt::format("nameserver {}\n", checked("resolver", seed.dns));
  files.push_back({"etc/resolv.conf", 0644, resolver});

  std::string comment = "root@" + name;
  files.push_back({"etc/ssh/ssh_host_ed25519_key", 0600, openssh_private(host_key, comment)});
  files.push_back(
      {"etc/ssh/ssh_host_ed25519_key.pub", 0644, public_line(host_key, comment) + "\n"});
  files.push_back({"etc/dropbear/dropbear_ed25519_host_key", 0600, dropbear_private(host_key)});
  files.push_back({"root/.ssh", S_IFDIR | 0700, {}});
  files.push_back({"root/.ssh/authorized_keys", 0600, key_line + "\n"});
  return files;
}

std::string seed_archive(const Seed& seed) {
  std::string lines;
  auto put = [&](std::string_view key, const std::string& value) {
    if (!value.empty()) lines += fmt::format("{}={}\n", key, checked(key, value));
  };
  put("hostname", seed.hostname);
  put("address", seed.address);
  put("prefix", std::to_string(seed.prefix));
  put("gateway", seed.gateway);
  put("dns", seed.dns);
  put("mac", seed.mac);
  put("disk", seed.disk == DiskMode::overlay ? "overlay" : "direct");
  put("root", seed.root);
  put("upper", seed.upper);
  put("work", seed.work);
  put("work_mount", seed.work_mount);

  std::vector<archive::CpioEntry> entries{{"banger/seed", S_IFREG | 0600, lines}};
  for (const auto& file : seed.files) {
    mode_t type = file.mode & S_IFMT;
    entries.push_back({"banger/files/" + checked("path", file.path),
                       (type ? type : S_IFREG) | (file.mode & 07777), file.content});
  }
  return archive::cpio_archive(entries);
}

std::string padding_for(uint64_t size) { return std::string((4 - size % 4) % 4, '\0'); }

} // namespace banger::guest
