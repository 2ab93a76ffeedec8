// A small tool with every shape of option and operand, for the tests of this room.
#pragma once

#include <string>
#include <vector>

#include "cli/app.h"
#include "cli/parse.h"

namespace banger::cli {

struct Sample : Verb {
  bool force = false;
  std::string memory = "512M", net;
  std::optional<std::string> disk;
  std::vector<std::string> labels, names, tail;
  std::string target;
  bool with_tail = false;

  void declare(Spec& spec) override {
    spec.options = {
        {"-f,--force", "", "do it all the same", "", Complete::nothing, {}, &force},
        {"-m,--memory", "SIZE", "memory", "512M", Complete::nothing, {}, &memory},
        {"--disk", "SIZE", "root disk", "", Complete::nothing, {}, &disk},
        {"--net", "MODE", "network", "", Complete::words, {"user", "bridge", "isolated"}, &net},
        {"--label", "K=V", "attach a label", "", Complete::nothing, {}, &labels},
        {"--image", "IMAGE", "the image", "", Complete::images, {}, &target},
        {"--from", "FILE", "a file", "", Complete::files, {}, &target}};
    spec.operands = {{"NAME", "the VMs", true, Complete::vms, &names}};
    if (with_tail) {
      spec.tail = &tail;
      spec.tail_name = "CMD";
      spec.tail_help = "what to run in it";
    }
  }
  int run(App&) override { return 0; }
};

struct Copy : Verb {
  std::vector<std::string> from;
  std::string to;
  void declare(Spec& spec) override {
    spec.operands = {{"SOURCE", "what", true, Complete::files, &from},
                     {"TARGET", "where to", true, Complete::vms, &to}};
  }
  int run(App&) override { return 0; }
};

inline const std::vector<VerbEntry>& sample_verbs() {
  static const std::vector<VerbEntry> verbs{
      {"start",
       "start VMs",
       "Boots them.",
       {},
       {"result"},
       [] { return std::make_unique<Sample>(); }},
      {"stop", "stop VMs", "", {}, {"result"}, [] { return std::make_unique<Sample>(); }},
      {"cp", "copy files", "", {}, {}, [] { return std::make_unique<Copy>(); }},
      {.name = "secret",
       .summary = "for tests",
       .manual = "",
       .examples = {},
       .objects = {},
       .make = [] { return std::make_unique<Copy>(); },
       .hidden = true}};
  return verbs;
}

inline Tool sample_tool() {
  return {"banger-vm", "run and manage microVMs", "", sample_verbs(),
          [](Complete what, const Dirs&) -> std::vector<std::string> {
            if (what == Complete::vms) return {"demo", "dim", "web"};
            return {"debian", "tiny"};
          }};
}

// A tool whose nameless verb takes what is no verb.
inline const std::vector<VerbEntry>& mixed_verbs() {
  static const std::vector<VerbEntry> verbs{
      {"",
       "run a command in a VM",
       "",
       {},
       {},
       [] {
         auto verb = std::make_unique<Sample>();
         verb->with_tail = true;
         return verb;
       },
       true},
      {"cp", "copy files", "", {}, {}, [] { return std::make_unique<Copy>(); }}};
  return verbs;
}

inline Tool mixed_tool() {
  Tool tool = sample_tool();
  tool.name = "banger-ssh";
  tool.verbs = mixed_verbs();
  return tool;
}

} // namespace banger::cli
