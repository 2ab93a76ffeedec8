#include <regex>

#include "core/error.h"
#include "core/text.h"
#include "fuzz/promise.h"
#include "fuzz/try.h"
#include "helper/ask.h"
#include "model/host_object.h"
#include "net/bridge_render.h"
#include "net/flow.h"
#include "net/rule_text.h"

namespace banger::fuzz {

namespace {

// The whole form of a line that a guest may become.
bool is_element(const std::string& line, const std::string& tag) {
  static const std::regex form("add element (bridge|inet) banger_([0-9a-f]{4}) [a-z_]+ \\{ "
                               "(\"bng([0-9a-f]{4})-[0-9]{1,6}\" \\. )?"
                               "[0-9a-f:.]+( : [0-9.]+ \\. [0-9]{1,5})? \\}|"
                               "add element inet banger_([0-9a-f]{4}) ports(_everywhere|_own)? \\{ "
                               "(tcp|udp)( \\. [0-9.]+)? \\. "
                               "[0-9]{1,5} : [0-9.]+ \\. [0-9]{1,5} \\}");
  std::smatch parts;
  if (!std::regex_match(line, parts, form)) return false;
  for (int part : {2, 4, 6})
    if (parts[static_cast<size_t>(part)].matched && parts[static_cast<size_t>(part)] != tag)
      return false;
  return true;
}

void try_watch(const helper::Ask& ask) {
  static const std::regex form(
      "add (table|chain|rule) (bridge|inet) t( [a-z_]+)? (\\{ [a-z0-9 ;-]+ \\}|"
      "([io]ifname \"x\" )?ip [ds]addr [0-9.]+ (tcp|udp) [ds]port [0-9]{1,5} "
      "counter meta nftrace set 1 comment \"(there|back)\")");
  try {
    net::check_flow(ask.port);
  } catch (const Error&) {
    return;
  }
  for (const std::string& line : split(trim(net::watch_rules("t", "x", ask.port)), '\n'))
    promise(std::regex_match(line, form), "a watch's rules let everything pass");
}

// What is named of a disk is a VM's of that tag, in the state's directory and nowhere else.
void try_disk(const disk::MapPlan& plan) {
  std::string name, image, cow;
  try {
    name = disk::valid_mapping(plan.mapping);
    image = plan.image_file();
    cow = plan.cow_file();
  } catch (const Error&) {
    return;
  }
  static const std::regex device("banger-[0-9a-f]{4}-[0-9a-f]{12}-root");
  static const std::regex of_image("images/[0-9a-f]{12}/root\\.ext4");
  static const std::regex of_vm("vms/[0-9a-f]{12}/cow\\.img");
  promise(std::regex_match(name, device), "a device is a VM's");
  promise(name == mapping_name(plan.mapping.tag, plan.mapping.id), "a device has its state's tag");
  const std::string& identity = plan.mapping.identity;
  promise(identity.size() <= 64 && identity.starts_with(name), "an identity is of its name");
  for (char c : identity)
    promise(c == '-' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z'), "it is a plain word");
  promise(std::regex_match(image, of_image), "an image's file is an image's");
  promise(std::regex_match(cow, of_vm), "a VM's file is a VM's");
}

} // namespace

void try_helper(std::string_view bytes) {
  helper::Ask ask;
  try {
    ask = helper::parse_ask(bytes);
  } catch (const Error&) {
    return;
  }
  try_disk(ask.disk);
  if (ask.verb == "watch") try_watch(ask);
  net::Bridge bridge{.tag = ask.tag, .subnet = Subnet::parse("10.77.0.0/24")};
  bridge.guests[9] = {.tap = 9, .address = "10.77.0.9"};
  if (!net::is_tag(ask.tag)) return;
  try {
    net::check(bridge, ask.guest, false);
  } catch (const Error&) {
    return;
  }
  promise(ask.guest.address != "10.77.0.9" || ask.guest.tap == 9, "no address is taken twice");
  for (const Port& p : ask.guest.ports)
    promise(p.host >= 1024 || p.host_address == ask.guest.address, "low ports are root's");
  promise(net::tap_link(bridge, ask.guest.tap, 1).name.size() < 16, "a tap's name has room");
  for (const std::string& line : split(trim(net::guest_elements("add", ask.tag, ask.guest)), '\n'))
    promise(is_element(line, ask.tag), "a guest becomes elements");
}

std::vector<std::string> helper_seeds() {
  return {
      R"({"v":1,"do":"up","tag":"ab12","subnet":"10.77.0.0/24"})",
      R"({"v":1,"do":"join","tag":"ab12","guest":{"tap":1,"address":"10.77.0.4","nat":true,"host_open":true,"ports":[{"proto":"tcp","host_address":"0.0.0.0","host":8080,"guest":80},{"proto":"udp","host_address":"127.0.0.1","host":5353,"guest":53}]}})",
      R"({"v":1,"do":"join","tag":"ab12","guest":{"tap":9,"address":"10.77.0.9","ports":[{"proto":"tcp","host_address":"10.77.0.9","host":22,"guest":22}]}})",
      R"({"v":1,"do":"join","tag":"ab12","guest":{"tap":1,"address":"10.77.0.4 }\nflush ruleset"}})",
      R"({"v":1,"do":"join","tag":"ab12","guest":{"tap":44444444444444444444444444444444,"address":"10.77.0.4"}})",
      R"({"v":1,"do":"leave","tag":"ab12","taps":[1,2,3]})",
      R"({"v":1,"do":"watch","tag":"ab12","tap":1,"port":{"proto":"tcp","host_address":"192.0.2.7","host":443,"guest":0}})",
      R"({"v":1,"do":"watch","tag":"ab12","tap":1,"port":{"proto":"udp","host_address":"1.2.3.4 accept","host":53,"guest":0}})",
      R"({"v":1,"do":"publish","tag":"ab12","tap":1,"on":true,"port":{"proto":"tcp","host_address":"127.0.0.1","host":80,"guest":80}})",
      R"({"v":1,"do":"names","tag":"ab12","proto":"udp"})",
      R"({"v":1,"do":"map","tag":"ab12","vm":"0123456789ab","identity":"banger-ab12-0123456789ab-root-9","dir":"/s","image":"ba9876543210"})",
      R"({"v":1,"do":"map","tag":"ab12","vm":"0123456789ab","identity":"banger-ab12-0123456789ab-root-../x","dir":"/s","image":"../../../etc"})",
      R"({"v":1,"do":"unmap","tag":"ab12","vm":"0123456789ab","identity":"banger-ab12-0123456789ab-root-9"})",
      R"({"v":1,"do":"limits"})",
  };
}

} // namespace banger::fuzz
