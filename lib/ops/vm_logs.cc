#include "ops/vm_logs.h"

#include "core/text.h"
#include "ops/places.h"
#include "sys/file.h"

namespace banger::ops {

std::string read_log(Context& ctx, const std::string& ref, VmLog which, size_t lines) {
  Vm vm = ctx.state.get_vm(ref);
  Places places = places_of(ctx.dirs, ctx.state.tag(), vm);
  const std::string& path = which == VmLog::console ? places.console
                            : which == VmLog::vmm   ? places.vmm_log
                                                    : places.lifecycle;
  std::string text = sys::read_tail(path, size_t{8} << 20);
  // Where the front was given back as a hole, it reads as zeros.
  text.erase(0, std::min(text.find_first_not_of('\0'), text.size()));
  if (lines == 0) return text;
  std::string tail = last_lines(text, lines);
  return tail.empty() ? tail : tail + "\n";
}

} // namespace banger::ops
