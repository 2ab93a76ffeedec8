#include "ops/net/resolver.h"

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "model/message.h"
#include "model/settings_json.h"
#include "sys/lines.h"
#include "sys/socket.h"

namespace banger::ops {

std::string to_line(const ResolverRequest& r) {
  return message_line({{"v", message_version},
                       {"subnet", r.subnet},
                       {"mode", name_of(r.mode)},
                       {"op", r.op},
                       {"log_level", r.log_level},
                       {"state_dir", r.dirs.state},
                       {"runtime_root", r.dirs.runtime},
                       {"libexec", r.dirs.libexec},
                       {"mends", r.mends},
                       {"link", r.link},
                       {"settings", to_json(r.settings)}});
}

ResolverRequest parse_resolver_request(std::string_view line) {
  return read_message(line, [](const Json& j) {
    ResolverRequest r;
    r.subnet = j.value("subnet", "");
    r.mode = parse_net_mode(j.value("mode", ""));
    r.op = j.value("op", "");
    r.log_level = j.value("log_level", "info");
    r.dirs.state = j.value("state_dir", "");
    r.dirs.runtime = j.value("runtime_root", "");
    r.dirs.libexec = j.value("libexec", "");
    r.mends = j.value("mends", "");
    r.link = j.value("link", 0);
    r.settings = settings_of(j.value("settings", Json::object()));
    return r;
  });
}

} // namespace banger::ops
