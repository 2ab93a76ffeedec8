// The operands and options that say which VMs a verb is about, common to all verbs that take
// several: names, id prefixes, - (standard input), --label, --state, --all.
//
// Names say which VMs; --label and --state narrow that. Without names they narrow all VMs. A verb
// that acts wants at least one of them.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "cli/app.h"
#include "cli/verb.h"
#include "ops/query/select.h"

namespace banger::tool {

struct Selection {
  std::vector<std::string> names;
  std::vector<std::pair<std::string, std::string>> labels;
  std::vector<VmState> states;
  bool all = false;

  // Adds the operands and options. "VM to stop" is the operand's help. Without --label where that
  // says which label a VM shall get.
  void declare(cli::Spec& spec, const std::string& operand_help, bool by_label = true);
  bool is_empty() const { return names.empty() && labels.empty() && states.empty() && !all; }
  bool is_narrowed() const { return !labels.empty() || !states.empty(); }
  // Reads standard input where - stands. Error(usage) when nothing was selected.
  ops::VmQuery query() const;
  // The same, but nothing selected means all VMs.
  ops::VmQuery query_or_all() const;
  // VMs that --all or --label found, and nobody named, are narrowed to the states in which the verb
  // makes sense, unless --state says which.
  ops::VmQuery query_in(std::initializer_list<VmState> sensible) const;
};

// For verbs that read: prints the fault of a reference that names no VM (or several), once; gives
// its status.
int report_unknown(cli::App& app, ops::Reader& in, const std::string& ref);

} // namespace banger::tool
