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
        {.flags = "-f,--force", .help = "do it all the same", .target = &force},
        {.flags = "-m,--memory",
         .value = "SIZE",
         .help = "memory",
         .fallback = "512M",
         .target = &memory},
        {.flags = "--disk", .value = "SIZE", .help = "root disk", .target = &disk},
        {.flags = "--net",
         .value = "MODE",
         .help = "network",
         .target = {one_of({"user", "bridge", "isolated"}), &net}},
        {.flags = "--label", .value = "K=V", .help = "attach a label", .target = &labels},
        {.flags = "--image",
         .value = "IMAGE",
         .help = "the image",
         .complete = Complete::images,
         .target = &target},
        {.flags = "--from",
         .value = "FILE",
         .help = "a file",
         .complete = Complete::files,
         .target = &target}};
    spec.operands = {
        {.name = "NAME", .help = "the VMs", .complete = Complete::vms, .target = &names}};
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
    spec.operands = {
        {.name = "SOURCE", .help = "what", .complete = Complete::files, .target = &from},
        {.name = "TARGET", .help = "where to", .complete = Complete::vms, .target = &to}};
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
      {.name = "disk add",
       .summary = "add a disk",
       .manual = "",
       .examples = {},
       .objects = {},
       .make = [] { return std::make_unique<Sample>(); }},
      {.name = "disk list",
       .summary = "list disks",
       .manual = "",
       .examples = {},
       .objects = {},
       .make = [] { return std::make_unique<Sample>(); }},
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
