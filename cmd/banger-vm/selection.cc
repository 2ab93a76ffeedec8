#include "banger-vm/selection.h"

#include "cli/kinds.h"
#include "core/error.h"
#include "ops/release/seen.h"

namespace banger::tool {

void Selection::declare(cli::Spec& spec, const std::string& operand_help, bool by_label) {
  if (by_label)
    spec.options.push_back({.flags = "--label",
                            .value = "KEY=VALUE",
                            .help = "only VMs with this label",
                            .target = {cli::As<parse_label>{}, &labels}});
  spec.options.push_back({.flags = "--state",
                          .value = "STATE",
                          .help = "only VMs in this state",
                          .target = {cli::kinds::vm_state(), &states}});
  spec.options.push_back({.flags = "--all", .help = "all VMs", .target = &all, .destroys = true});
  spec.operands.push_back({.name = "NAME",
                           .help = operand_help + ", or its id's beginning; - reads names from "
                                                  "standard input",
                           .required = false,
                           .complete = cli::Complete::vms,
                           .target = &names});
}

ops::VmQuery Selection::query_or_all() const {
  ops::VmQuery q;
  q.labels = labels;
  q.states.insert(states.begin(), states.end());
  if (all && !names.empty())
    throw usage("names and --all do not go together").hint("leave one of them out");
  if (!names.empty()) q.refs = cli::read_names(names);
  return q;
}

ops::VmQuery Selection::query() const {
  if (is_empty())
    throw usage("no VM given").hint("name one or more, or select with --label, --state or --all");
  return query_or_all();
}

ops::VmQuery Selection::query_in(std::initializer_list<VmState> sensible) const {
  ops::VmQuery q = query();
  if (!q.refs && q.states.empty()) q.states = sensible;
  return q;
}

int report_unknown(cli::App& app, ops::Reader& in, const std::string& ref) {
  try {
    Vm vm = in.state.get_vm(ref);
    if (!ops::is_gone(in.dirs, in.state.tag(), vm)) return 0; // it was made meanwhile
    throw not_found("no VM '{}'", ref).hint("'banger vm list' shows what there is");
  } catch (Error& e) {
    e.default_subject(ref);
    app.out.push();
    cli::report(app.tool(), e, app.out.json);
    return exit_status(e.code());
  }
}

} // namespace banger::tool
