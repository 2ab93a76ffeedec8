#include "ops/query/select.h"

#include <unordered_set>

#include "core/error.h"
#include "ops/release/seen.h"

namespace banger::ops {

namespace {

std::optional<Vm> find(state::State& state, const std::string& ref) {
  try {
    return state.find_vm(ref);
  } catch (const Error& e) {
    if (e.code() != Code::usage) throw;
    return {}; // a prefix of several
  }
}

// Calls `found` for each VM that the query selects, `unknown` for each ref that names none.
template <typename Found, typename Unknown>
void walk(Reader& in, const VmQuery& query, Found found, Unknown unknown) {
  // A query for names alone needs no look at the processes that run.
  auto take = [&](Vm vm) {
    if (!query.states.empty()) vm = as_seen(in.dirs, in.state.tag(), std::move(vm));
    if (matches(vm, query)) found(std::move(vm));
  };
  auto gone = [&](const Vm& vm) { return is_gone(in.dirs, in.state.tag(), vm); };
  if (!query.refs) {
    for (Vm& vm : in.state.vms())
      if (!gone(vm)) take(std::move(vm));
    return;
  }
  std::unordered_set<std::string> seen;
  for (const std::string& ref : *query.refs) {
    auto vm = find(in.state, ref);
    if (vm && gone(*vm)) vm.reset();
    if (!seen.insert(vm ? vm->id : ref).second) continue;
    if (vm)
      take(std::move(*vm));
    else
      unknown(ref);
  }
}

} // namespace

bool matches(const Vm& vm, const VmQuery& query) {
  if (!query.states.empty() && !query.states.contains(vm.state)) return false;
  for (const auto& [key, value] : query.labels) {
    auto it = vm.labels.find(key);
    if (it == vm.labels.end() || it->second != value) return false;
  }
  return true;
}

std::vector<std::string> select_vms(Reader& in, const VmQuery& query) {
  std::vector<std::string> names;
  walk(
      in, query, [&](Vm vm) { names.push_back(std::move(vm.name)); },
      [&](const std::string& ref) { names.push_back(ref); });
  return names;
}

std::vector<Vm> find_vms(Reader& in, const VmQuery& query, std::vector<std::string>& unknown) {
  if (!query.refs) { // in place: there may be many
    std::vector<Vm> vms = in.state.vms();
    for (Vm& vm : vms) vm = as_seen(in.dirs, in.state.tag(), std::move(vm));
    std::erase_if(vms, [&](const Vm& vm) {
      return !matches(vm, query) || is_gone(in.dirs, in.state.tag(), vm);
    });
    return vms;
  }
  std::vector<Vm> vms;
  bool looked = !query.states.empty();
  walk(
      in, query,
      [&](Vm vm) {
        vms.push_back(looked ? std::move(vm) : as_seen(in.dirs, in.state.tag(), std::move(vm)));
      },
      [&](const std::string& ref) { unknown.push_back(ref); });
  return vms;
}

} // namespace banger::ops
