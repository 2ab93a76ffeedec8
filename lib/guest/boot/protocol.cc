#include "guest/boot/protocol.h"

#include <array>

#include <nlohmann/json.hpp>

#include "guest/identity/base64.h"

namespace banger::guest {

namespace {

using Json = nlohmann::ordered_json;

constexpr int protocol_version = 1;

constexpr std::array<std::pair<Stage, std::string_view>, 8> stage_names{
    {{Stage::connecting, "connecting"},
     {Stage::no_answer, "no_answer"},
     {Stage::closed, "closed"},
     {Stage::banner, "banner"},
     {Stage::auth, "auth"},
     {Stage::refused, "refused"},
     {Stage::mismatch, "mismatch"},
     {Stage::ready, "ready"}}};

constexpr std::array<Code, 7> codes{Code::failed,     Code::usage,     Code::not_found,
                                    Code::conflict,   Code::preflight, Code::timeout,
                                    Code::unreachable};

Stage parse_stage(const std::string& text) {
  for (auto [stage, name] : stage_names)
    if (name == text) return stage;
  throw failed("unknown stage '{}'", text);
}

// Never fails on text that is not UTF-8: such bytes are replaced.
std::string dump(Json fields) {
  Json line{{"v", protocol_version}};
  line.update(fields);
  return line.dump(-1, ' ', false, Json::error_handler_t::replace);
}

[[noreturn]] void throw_reported(const Json& error) {
  std::string code = error.value("code", "failed");
  Code found = Code::failed;
  for (Code c : codes)
    if (name_of(c) == code) found = c;
  throw Error(found, error.at("message").get<std::string>()).hint(error.value("hint", ""));
}

// Runs `read` on the object in `line`; every fault of the line becomes one kind of Error.
template <typename Read>
auto parse(std::string_view line, Read read) {
  try {
    Json json = Json::parse(line);
    if (json.at("v").get<int>() != protocol_version)
      throw failed("version {} of the guest protocol is not known here", json["v"].get<int>());
    if (json.contains("error")) throw_reported(json["error"]);
    return read(json);
  } catch (const Json::exception& e) {
    throw failed("cannot understand a line of the guest protocol: {}", e.what());
  }
}

Json fields_of(const Endpoint& e) {
  return {{"address", e.address},
          {"port", e.port},
          {"user", e.user},
          {"identity", e.identity},
          {"host_key", e.host_key}};
}

Endpoint endpoint_of(const Json& json) {
  Endpoint e;
  json.at("address").get_to(e.address);
  json.at("port").get_to(e.port);
  json.at("user").get_to(e.user);
  json.at("identity").get_to(e.identity);
  json.at("host_key").get_to(e.host_key);
  if (e.port < 1 || e.port > 65535) throw failed("invalid port {} of a guest", e.port);
  return e;
}

} // namespace

std::string_view name_of(Stage stage) { return stage_names[static_cast<size_t>(stage)].second; }

std::string to_line(const StageReport& r) {
  return dump({{"stage", name_of(r.stage)}, {"seconds", r.seconds}, {"detail", r.detail}});
}
StageReport parse_stage_report(std::string_view line) {
  return parse(line, [](const Json& json) {
    return StageReport{parse_stage(json.at("stage")), json.at("seconds"), json.value("detail", "")};
  });
}

std::string to_line(const HostKeyRequest&) { return dump({{"want", "host_key"}}); }

std::string to_line(const AwaitRequest& r) {
  Json fields = fields_of(r.endpoint);
  fields["seconds"] = r.seconds;
  return dump(fields);
}
std::variant<HostKeyRequest, AwaitRequest> parse_await_request(std::string_view line) {
  using Request = std::variant<HostKeyRequest, AwaitRequest>;
  return parse(line, [](const Json& json) -> Request {
    if (json.value("want", "") == "host_key") return HostKeyRequest{};
    return AwaitRequest{endpoint_of(json), json.at("seconds")};
  });
}

std::string to_line(const CommandRequest& r) {
  Json fields = fields_of(r.endpoint);
  fields["command"] = r.command;
  fields["seconds"] = r.seconds;
  return dump(fields);
}
CommandRequest parse_command_request(std::string_view line) {
  return parse(line, [](const Json& json) {
    return CommandRequest{endpoint_of(json), json.at("command"), json.at("seconds")};
  });
}

std::string to_line(const ClockRequest& r) {
  Json fields = fields_of(r.endpoint);
  fields["seconds"] = r.seconds;
  return dump(fields);
}
ClockRequest parse_clock_request(std::string_view line) {
  return parse(line, [](const Json& json) {
    return ClockRequest{endpoint_of(json), json.at("seconds")};
  });
}

std::string to_line(const CommandReply& r) {
  return dump({{"status", r.status}, {"output", r.output}});
}
CommandReply parse_command_reply(std::string_view line) {
  return parse(line, [](const Json& json) {
    return CommandReply{json.at("status"), json.at("output")};
  });
}

std::string to_line(const KeygenReply& r) {
  return dump({{"identity", r.identity}, {"public", r.public_line}});
}
KeygenReply parse_keygen_reply(std::string_view line) {
  return parse(line, [](const Json& json) {
    return KeygenReply{json.at("identity"), json.at("public")};
  });
}

std::string to_line(const KeyPair& key) {
  return dump({{"openssh_private", base64(openssh_private(key, "banger"))},
               {"public", public_line(key)},
               {"dropbear_private", base64(dropbear_private(key))}});
}
KeyPair parse_host_key(std::string_view line) {
  return parse(line, [](const Json& json) {
    auto text = from_base64(json.at("openssh_private").get<std::string>());
    if (!text) throw failed("cannot understand a line of the guest protocol: no base64");
    return parse_openssh_private(*text);
  });
}

std::string to_line(const Error& e) {
  return dump(
      {{"error", {{"code", name_of(e.code())}, {"message", e.message()}, {"hint", e.hint()}}}});
}

} // namespace banger::guest
