// The state's known_hosts file: one line a VM, for OpenSSH's client and for our own.
//
//   [REACH]:PORT,NAME.ZONE,REACH,[NAME.ZONE]:PORT ssh-ed25519 AAAA…
//
// A line belongs to the VM whose reach address is in it: that is one VM's, and stays, while the
// zone may be another since it was written. Setting a line also drops any other that names the same
// address or the same name.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace banger::guest {

struct KnownHost {
  std::string host;     // "demo.vm"
  std::string reach;    // "127.87.12.1"
  int port = 22;        // on `reach`
  std::string host_key; // "ssh-ed25519 AAAA…", a comment is left out
};

// Pure: the content of such a file with the VM's line, and without it.
std::string with_known_host(std::string_view content, const KnownHost& host);
std::string without_known_host(std::string_view content, std::string_view host);
// The pinned key "ssh-ed25519 AAAA…" of the line that names `host`: "127.87.12.1", "demo.vm".
std::optional<std::string> find_host_key(std::string_view content, std::string_view host);

// The same on KEYS_DIR/known_hosts, under a lock, so that any number may do it at once: a line more
// is appended, else the file is replaced; nothing is synced. set makes file and directory; remove
// of what is not there is no failure.
void set_known_host(const std::string& keys_dir, const KnownHost& host);
// The same where no other process is writing it; false where one is, and nothing was done.
bool try_set_known_host(const std::string& keys_dir, const KnownHost& host);
void remove_known_host(const std::string& keys_dir, std::string_view host);

} // namespace banger::guest
