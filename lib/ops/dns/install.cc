#include "ops/dns/install.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/text.h"
#include "core/undo.h"
#include "ops/dns/host_resolver.h"
#include "sys/file.h"
#include "sys/port_owner.h"
#include "sys/proc.h"
#include "sys/process.h"
#include "sys/wait.h"

namespace banger::ops {

namespace {

constexpr Millis patience{30'000}; // for a resolver to be started again
constexpr Millis time_to_be_there{5'000};

constexpr std::string_view stub_addresses[] = {"127.0.0.53", "127.0.0.54"}; // systemd-resolved's

Words command_line_of(int pid) {
  Words words = split(sys::find_content(fmt::format("/proc/{}/cmdline", pid)).value_or(""), '\0');
  std::erase(words, "");
  return words;
}

// "systemd 252 (252.38-1)".
std::optional<int> resolved_version() {
  if (!sys::find_program("resolvectl")) return {};
  std::string told = sys::run({{"resolvectl", "--version"}, {}, "/", false}, {}, patience).out;
  size_t at = told.find(' ');
  if (!told.starts_with("systemd ") || at == std::string::npos) return {};
  return std::atoi(told.c_str() + at + 1);
}

// Where this user may not read a process's descriptors, its name tells: a dry run is for everybody.
std::optional<sys::ProcessInfo> server_at(const std::string& address,
                                          const std::vector<sys::ProcessInfo>& processes) {
  if (auto owner = sys::find_port_owner("udp", address, 53)) return owner;
  if (!address.starts_with("127.")) return {};
  bool stub = std::find(std::begin(stub_addresses), std::end(stub_addresses), address) !=
              std::end(stub_addresses);
  for (const sys::ProcessInfo& p : processes)
    if (p.comm == (stub ? "systemd-resolve" : "dnsmasq")) return p;
  return {};
}

HostFacts look_at_host() {
  HostFacts facts;
  facts.name_server = name_server_of(sys::find_content("/etc/resolv.conf").value_or(""));
  facts.nss_resolve = asks_resolved(sys::find_content("/etc/nsswitch.conf").value_or(""));
  facts.has_systemd = sys::exists("/run/systemd/system");
  std::vector<sys::ProcessInfo> processes = sys::list_processes();
  for (const sys::ProcessInfo& p : processes) {
    if (p.comm == "systemd-resolve") facts.resolved_version = resolved_version();
    if (p.comm == "NetworkManager") facts.has_network_manager = true;
  }
  auto server = facts.name_server.empty() ? std::nullopt : server_at(facts.name_server, processes);
  if (!server) return facts;
  if (server->comm == "systemd-resolve") {
    facts.resolved_has_port = true;
  } else if (server->comm == "dnsmasq") {
    Words words = command_line_of(server->id.pid);
    facts.dnsmasq_has_port = true;
    facts.by_network_manager = std::any_of(words.begin(), words.end(), [](const std::string& w) {
      return w.find("/NetworkManager/") != std::string::npos;
    });
    facts.dnsmasq_dir =
        dnsmasq_dir_of(words, sys::find_content(dnsmasq_config_of(words)).value_or(""));
  } else {
    facts.other_has_port = true;
    facts.other = fmt::format("{} (process {})", escape_for_terminal(server->comm), server->id.pid);
  }
  return facts;
}

void require_root(const Dirs& dirs, std::string_view verb) {
  if (sys::is_root()) return;
  std::string config = sys::exists(dirs.config_file)
                           ? fmt::format(" --config {}", shell_quote(dirs.config_file))
                           : "";
  throw preflight("cannot change what this host's resolver does: that is root's")
      .hint(fmt::format("sudo {}/banger-dns {}{}", dirs.bin, verb, config));
}

void run(const Words& command, const OnNotice& tell) {
  tell("runs " + to_text(command));
  sys::run_ok({command, {}, "/", false}, {}, patience);
}

bool is_ours(const std::string& content) { return content.starts_with(our_mark); }

// Takes the plan back. A step that fails keeps no other from being done. Throws the first failure.
void take_out(const ResolverPlan& plan, const OnNotice& tell) {
  std::optional<Error> first;
  auto step = [&](const std::function<void()>& act) {
    try {
      act();
    } catch (const Error& e) {
      if (!first) first = e;
    }
  };
  for (const Words& command : plan.take_out_first) step([&] { run(command, tell); });
  for (const ResolverFile& file : plan.files)
    step([&] {
      if (auto there = sys::find_content(file.path); !there || !is_ours(*there)) return;
      tell("removes " + file.path);
      sys::remove_file(file.path);
    });
  for (const Words& command : plan.take_out) step([&] { run(command, tell); });
  if (first) throw std::move(*first);
}

// A resolver may still be starting after the command that restarts it has ended. Only a look-up
// that succeeds tells that it is there.
void prove(const Settings& settings, const Dirs& dirs) {
  Deadline until(time_to_be_there);
  HostResolver found = look_for_questions(settings.dns_listen, settings.dns_zone, dirs);
  while (!found.asks.value_or(false) && !until.has_passed()) {
    sys::sleep_for(Millis(100));
    found = look_for_questions(settings.dns_listen, settings.dns_zone, dirs);
  }
  if (!found.asks.value_or(false))
    throw failed("this host's resolver does not ask {} for .{}: {}", to_text(settings.dns_listen),
                 settings.dns_zone, found.how);
}

} // namespace

std::string to_text(const Words& command) {
  std::string text;
  for (const std::string& word : command) text += (text.empty() ? "" : " ") + shell_quote(word);
  return text;
}

ResolverPlan plan_install(const Settings& settings) {
  return plan_resolver(look_at_host(), settings.dns_listen, settings.dns_zone);
}

Json to_json(const ResolverPlan& plan) {
  Json files = Json::array(), commands = Json::array();
  for (const ResolverFile& f : plan.files)
    files.push_back({{"path", f.path}, {"content", f.content}});
  for (const Words& c : plan.put_in) commands.push_back(to_text(c));
  return {{"resolver", plan.resolver}, {"files", files}, {"commands", commands}};
}

std::vector<std::string> install(const Settings& settings, const Dirs& dirs, Log& log,
                                 const ResolverPlan& plan, const OnNotice& tell) {
  require_root(dirs, "install");
  std::vector<const ResolverFile*> changed;
  for (const ResolverFile& file : plan.files) {
    auto there = sys::find_content(file.path);
    if (there && !is_ours(*there))
      throw conflict("'{}' is there, and not banger's", file.path).subject(file.path);
    if (there != file.content) changed.push_back(&file);
  }
  std::vector<std::string> written;
  Undo undo(log);
  if (!changed.empty()) undo.push("dns.install", [&] { take_out(plan, tell); });
  for (const ResolverFile* file : changed) {
    tell("writes " + file->path);
    sys::make_dirs(file->path.substr(0, file->path.rfind('/')), 0755);
    sys::write_atomic(file->path, file->content, 0644);
    written.push_back(file->path);
  }
  try {
    if (!changed.empty())
      for (const Words& command : plan.put_in) run(command, tell);
    prove(settings, dirs);
  } catch (Error& e) {
    if (!changed.empty()) e.default_hint("what was written is taken back");
    throw;
  }
  undo.dismiss();
  return written;
}

std::vector<std::string> uninstall(const Settings& settings, const Dirs& dirs,
                                   const OnNotice& tell) {
  require_root(dirs, "uninstall");
  std::vector<std::string> removed;
  for (const ResolverPlan& plan :
       all_plans(look_at_host(), settings.dns_listen, settings.dns_zone)) {
    size_t before = removed.size();
    for (const ResolverFile& file : plan.files)
      if (auto there = sys::find_content(file.path); there && is_ours(*there))
        removed.push_back(file.path);
    if (removed.size() > before) take_out(plan, tell);
  }
  return removed;
}

} // namespace banger::ops
