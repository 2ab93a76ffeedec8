// The dispatcher: `banger SUB …` becomes banger-SUB; without one it tells what there is.
#include <algorithm>
#include <array>

#include "cli/complete.h"
#include "cli/elsewhere.h"
#include "cli/guard.h"
#include "cli/page.h"
#include "cli/parse.h"
#include "cli/subcommand.h"
#include "core/text.h"
#include "core/version.h"

using namespace banger;
using namespace banger::cli;

namespace {

struct Known {
  std::string_view name, summary;
};

// In the order in which people meet them.
constexpr std::array<Known, 8> known{{
    {"vm", "make, run and manage VMs"},
    {"ssh", "run a command or a shell in a VM, copy files"},
    {"image", "manage the images that VMs are made from"},
    {"bundle", "build and check the kernel, initrd and root file system"},
    {"net", "give VMs a network, publish their ports"},
    {"doctor", "check this machine for what banger needs"},
    {"help", "show the help of a command"},
    {"version", "show the version"},
}};

bool is_own(std::string_view name) { return name == "help" || name == "version"; }

std::string_view summary_of(std::string_view name) {
  for (const Known& k : known)
    if (k.name == name) return k.summary;
  return {};
}

// Its own options are the common ones; its commands are found, not listed.
const Tool shape{"banger",
                 "persistent, named microVMs made of small commands",
                 "Each COMMAND is a program of its own, banger-COMMAND; one that you put into PATH "
                 "is found like the others.",
                 {}};

// The page that lists `names`: for --help those installed, for the manual all that belong to
// banger.
Page overview(const std::vector<std::string>& names) {
  Page page = tool_page(shape);
  page.synopsis = "[OPTION]... COMMAND [ARG]...";
  page.sections[0].entries.clear();
  for (const std::string& name : names)
    page.sections[0].entries.push_back({name, std::string(summary_of(name))});
  page.examples = {{"banger vm run demo -- uname -a", "make a VM, boot it, run a command in it"},
                   {"banger vm list", "show the VMs that there are"},
                   {"banger help vm create", "show how to make one"}};
  page.note = "See 'banger help COMMAND' for each.";
  return page;
}

// Known ones first and in their order, then what else lies in PATH.
std::vector<std::string> installed(const Subcommands& subs) {
  std::vector<std::string> there = subs.list(), names;
  for (const Known& k : known)
    if (is_own(k.name) || std::find(there.begin(), there.end(), k.name) != there.end())
      names.emplace_back(k.name);
  for (const std::string& name : there)
    if (summary_of(name).empty()) names.push_back(name);
  return names;
}

std::vector<std::string> all_known() {
  std::vector<std::string> names;
  for (const Known& k : known) names.emplace_back(k.name);
  return names;
}

// The program to become; none when everything has been said here.
struct Launch {
  std::string path;
  std::vector<std::string> words;
};
using Plan = std::optional<Launch>;

Plan dispatch(const Subcommands& subs, const std::string& name, std::vector<std::string> words) {
  if (auto path = subs.find(name)) return Launch{*path, std::move(words)};
  auto names = installed(subs);
  auto known_elsewhere = verb_from_elsewhere(shape.name, name);
  auto near = did_you_mean(name, names);
  throw usage("unknown command 'banger {}'", name)
      .subject(name)
      .hint(known_elsewhere ? *known_elsewhere
            : near          ? fmt::format("did you mean 'banger {}'?", *near)
                            : "'banger help' lists the commands");
}

Plan complete_here(const Subcommands& subs, std::vector<std::string> words, Output& out) {
  if (words.empty()) return {};
  const std::string typed = words.back();
  // Only a whole word before the cursor names a command: the last one is still being typed.
  std::span<const std::string> before(words.data(), words.size() - 1);
  size_t at = find_operand(shape, before);
  bool asks_help = at < before.size() && before[at] == "help";
  if (asks_help) at++;
  if (at < before.size()) {
    auto path = subs.find(words[at]);
    if (!path) return {};
    words.erase(words.begin() + static_cast<ptrdiff_t>(at));
    words.insert(words.begin(), "__complete");
    return Launch{*path, std::move(words)};
  }
  if (typed.starts_with('-') || at > before.size()) {
    out.bytes(complete(shape, words, nullptr));
    return {};
  }
  for (const std::string& name : installed(subs))
    if (name.starts_with(typed)) out.line(fmt::format("{}\t{}", name, summary_of(name)));
  return {};
}

// `banger help SUB [VERB]`: the output of `banger-SUB VERB --help`.
Plan help(const Subcommands& subs, std::vector<std::string> words, Output& out) {
  std::erase_if(words, [](const std::string& w) { return w.starts_with('-'); });
  if (words.empty() || is_own(words[0])) {
    out.bytes(help_text(overview(installed(subs))));
    return {};
  }
  std::string name = words[0];
  words.erase(words.begin());
  words.emplace_back("--help");
  return dispatch(subs, name, std::move(words));
}

Plan run(std::vector<std::string> words, Output& out) {
  Subcommands subs(process_environment(), this_executable());
  std::string first = words.empty() ? "" : words[0];
  if (first == "__man") {
    if (words.size() == 1)
      out.line("banger");
    else
      out.bytes(man_text(overview(all_known()), {"banger(7)", "banger-config(5)", "banger-vm(1)"}));
    return {};
  }
  if (first == "__complete") {
    words.erase(words.begin());
    return complete_here(subs, std::move(words), out);
  }

  auto at = words.begin() + static_cast<ptrdiff_t>(find_operand(shape, words));
  auto asked = [&](std::string_view option) { return std::find(words.begin(), at, option) != at; };
  bool named = at != words.end();
  std::string name = named ? *at : "help";
  if (asked("--version") || name == "version") {
    out.line(fmt::format("banger {}", version()));
    return {};
  }
  std::vector<std::string> after(named ? at + 1 : at, words.end());
  if (name == "help") return help(subs, std::move(after), out);
  if (asked("-h") || asked("--help")) return help(subs, {at, words.end()}, out);
  words.erase(at); // common options that stood before the command go with it
  return dispatch(subs, name, std::move(words));
}

} // namespace

int main(int argc, char** argv) {
  fill_closed_stdio();
  std::vector<std::string> words(argv + (argc > 0 ? 1 : 0), argv + argc);
  bool json = asks_for_json(words);
  Output out;
  Plan plan;
  int status = guarded(shape.name, json, out, [&] {
    plan = run(std::move(words), out);
    return 0;
  });
  if (!plan) return status;
  try {
    become(plan->path, std::move(plan->words));
  } catch (const Error& e) {
    report(shape.name, e, json);
    return exit_status(e.code());
  }
}
