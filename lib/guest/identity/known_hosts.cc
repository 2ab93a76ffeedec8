#include "guest/identity/known_hosts.h"

#include <algorithm>
#include <functional>

#include "core/error.h"
#include "core/text.h"
#include "guest/identity/base64.h"
#include "guest/identity/keys.h"
#include "sys/file.h"
#include "sys/lock.h"

namespace banger::guest {

namespace {

std::vector<std::string> names_of(std::string_view line) {
  return split(line.substr(0, line.find(' ')), ',');
}

bool names(std::string_view line, std::string_view name) {
  auto all = names_of(line);
  return std::find(all.begin(), all.end(), name) != all.end();
}

std::string without_lines(std::string_view content,
                          const std::function<bool(std::string_view)>& drop) {
  std::string kept;
  for (const auto& line : split(content, '\n'))
    if (!line.empty() && !drop(line)) kept += line + "\n";
  return kept;
}

// A space or a comma would make other names of it.
void check_word(std::string_view word) {
  bool good = !word.empty() && std::all_of(word.begin(), word.end(), [](char c) {
    return c > ' ' && c < 0x7f && c != ',' && c != '*' && c != '?' && c != '!' && c != '#';
  });
  if (!good) throw failed("invalid name '{}' for the known hosts", escape_for_terminal(word));
}

std::string lock_of(const std::string& keys_dir) { return keys_dir + "/known_hosts.lock"; }

// The caller holds the lock.
void change_locked(const std::string& keys_dir,
                   const std::function<std::string(std::string_view)>& edit) {
  std::string path = keys_dir + "/known_hosts";
  std::string before = sys::find_content(path).value_or("");
  // Half a line was left by a writer that was killed.
  std::string_view whole = std::string_view(before).substr(0, before.rfind('\n') + 1);
  std::string after = edit(whole);
  if (after == before) return;
  // Of use while VMs run, and each start puts its own back: nothing is synced. And a line more,
  // which is what nearly every change is, does not need all of them written again.
  if (!before.empty() && after.starts_with(before))
    sys::append(path, std::string_view(after).substr(before.size()));
  else
    sys::write_atomic(path, after, 0600, Outlives::process);
}

void change(const std::string& keys_dir, const std::function<std::string(std::string_view)>& edit) {
  auto lock = sys::FileLock::take(lock_of(keys_dir));
  change_locked(keys_dir, edit);
}

} // namespace

std::string with_known_host(std::string_view content, const KnownHost& host) {
  check_word(host.host);
  check_word(host.reach);
  auto key = base64(parse_public_line(host.host_key));
  std::string own = fmt::format("[{1}]:{2},{0},{1},[{0}]:{2} ssh-ed25519 {3}\n", host.host,
                                host.reach, host.port, key);
  std::string others = without_lines(content, [&](std::string_view line) {
    return names(line, host.host) || names(line, host.reach);
  });
  bool as_it_was =
      others.size() + own.size() == content.size() && content.find(own) != std::string_view::npos;
  return as_it_was ? std::string(content) : others + own;
}

std::string without_known_host(std::string_view content, std::string_view host) {
  return without_lines(content, [&](std::string_view line) { return names(line, host); });
}

std::optional<std::string> find_host_key(std::string_view content, std::string_view host) {
  for (const auto& line : split(content, '\n')) {
    if (!names(line, host)) continue;
    auto at = line.find(' ');
    if (at != std::string::npos) return std::string(trim(line.substr(at)));
  }
  return {};
}

void set_known_host(const std::string& keys_dir, const KnownHost& host) {
  sys::make_dirs(keys_dir);
  change(keys_dir, [&](std::string_view content) { return with_known_host(content, host); });
}

bool try_set_known_host(const std::string& keys_dir, const KnownHost& host) {
  sys::make_dirs(keys_dir);
  auto lock = sys::FileLock::try_take(lock_of(keys_dir));
  if (!lock) return false;
  change_locked(keys_dir, [&](std::string_view content) { return with_known_host(content, host); });
  return true;
}

void remove_known_host(const std::string& keys_dir, std::string_view host) {
  if (!sys::exists(keys_dir + "/known_hosts")) return;
  change(keys_dir, [&](std::string_view content) { return without_known_host(content, host); });
}

} // namespace banger::guest
