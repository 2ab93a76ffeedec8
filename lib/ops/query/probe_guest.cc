#include "ops/query/probe_guest.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "core/text.h"

namespace banger::ops {

namespace {

// MAC ADDRESS TO PORT NAME NAMES PORTS are set before it. A line each: a word, and what it tells.
constexpr std::string_view questions = R"sh(
for d in /sys/class/net/*; do
  [ "$(cat "$d/address" 2>/dev/null)" = "$MAC" ] || continue
  c=$(cat "$d/carrier" 2>/dev/null) || c=0
  echo "link ${d##*/} ${c:-0}"
done
while read -r a b c; do
  case $a in
  '|--') at=$b ;;
  /32) [ "$b $c" = 'host LOCAL' ] && [ "$at" = "$ADDRESS" ] && echo addressed ;;
  esac
done </proc/net/fib_trie
while read -r i d g f x x x m x; do
  [ "$d $m" = '00000000 00000000' ] && [ "$i" != '*' ] && echo "route $g"
done </proc/net/route
server=
while read -r k v x; do
  [ "$k" = nameserver ] || continue
  echo "server $v"
  server=${server:-$v}
done </etc/resolv.conf
for f in /proc/net/tcp /proc/net/tcp6; do
  [ -e "$f" ] && while read -r n l r s x; do
    [ "$s" = 0A ] || continue
    case " $PORTS " in *" ${l##*:} "*) echo "listen $l" ;; esac
  done <"$f"
done
has() { command -v "$1" >/dev/null 2>&1; }
if [ -n "$TO" ]; then
  if has bash; then
    said=$(timeout 3 bash -c "exec 3<>/dev/tcp/$TO/$PORT" 2>&1)
    echo "outside bash $? $(echo "$said" | tail -n 1)"
  elif has nc; then
    said=$(timeout 4 nc -w 3 "$TO" "$PORT" </dev/null 2>&1 >/dev/null)
    echo "outside nc $? $(echo "$said" | tail -n 1)"
  else
    echo "outside none 0"
  fi
fi
# ask WORD TYPE NAME QUERY: the query is a packet of DNS as printf has it.
ask() {
  if has nslookup; then
    said=$(timeout 4 nslookup "-type=$2" "$3" "$server" 2>&1)
    echo "$1 nslookup $? $(echo "$said" | tr '\n' ' ' | cut -c 1-800)"
  elif has bash; then
    echo "$1 bash 0" $(timeout 4 bash -c 'exec 3<>"/dev/udp/$1/53" && printf "$2" | dd bs=512 iflag=fullblock >&3 &&
      dd bs=4096 count=1 <&3 | od -An -tx1 -N4' - "$server" "$4" 2>/dev/null)
  else
    echo "$1 none 0"
  fi
}
[ -z "$server" ] || [ -z "$NAME" ] || ask name a "$NAME" "$QUERY_NAME"
[ -z "$server" ] || [ -z "$NAMES" ] || ask names ns . "$QUERY_NAMES"
echo whole
)sh";

constexpr int type_a = 1, type_ns = 2;

// A question of DNS in octal, which every printf takes.
std::string query_of(std::string_view name, int type) {
  std::string packet("\x62\x6e\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00", 12);
  for (const std::string& label : split(name, '.'))
    if (!label.empty()) packet += static_cast<char>(label.size()) + label;
  packet += std::string("\0\0", 2) + static_cast<char>(type) + std::string("\0\1", 2);
  std::string octal;
  for (char c : packet) octal += fmt::format("\\{:03o}", static_cast<unsigned char>(c));
  return octal;
}

bool has(std::string_view text, std::string_view word) {
  return text.find(word) != std::string_view::npos;
}

int number(std::string_view text, int base = 10) {
  int n = -1;
  std::from_chars(text.data(), text.data() + text.size(), n, base);
  return n;
}

// What timeout(1) ends with: coreutils', busybox'.
bool ran_out(int status) { return status == 124 || status == 143; }

Heard connection(std::string_view tool, int status, std::string_view said) {
  if (tool == "none") return Heard::no_tool;
  // nc waits for the other end to close, too.
  if (status == 0 || (tool == "nc" && ran_out(status))) return Heard::yes;
  if (has(said, "refused") || has(said, "reset")) return Heard::no;
  if (ran_out(status) || has(said, "timed out")) return Heard::silence;
  return Heard::fault;
}

Heard lookup(std::string_view tool, int status, std::string_view said) {
  if (tool == "none") return Heard::no_tool;
  if (tool == "bash") {
    std::vector<std::string> bytes = split(trim(said), ' ');
    if (bytes.size() < 4) return Heard::silence;
    int code = number(bytes[3], 16) & 15;
    return code == 0 ? Heard::yes : code == 3 ? Heard::no : Heard::fault;
  }
  if (ran_out(status) || has(said, "timed out") || has(said, "no servers could be reached") ||
      has(said, "no response"))
    return Heard::silence;
  if (has(said, "NXDOMAIN")) return Heard::no;
  if (has(said, "SERVFAIL") || has(said, "REFUSED") || status != 0) return Heard::fault;
  return Heard::yes;
}

// As /proc/net/tcp has them: an address of IPv4 in the order of the host's bytes, one of IPv6 in
// four such words, and the port.
std::optional<GuestLook::Listener> listener(std::string_view text) {
  size_t colon = text.find(':');
  if (colon == std::string_view::npos) return {};
  std::string_view at = text.substr(0, colon);
  int port = number(text.substr(colon + 1), 16);
  if (port < 1) return {};
  bool mapped = at.size() == 32 && at.substr(16, 8) == "FFFF0000";
  bool of_v4 = at.size() == 8 || mapped;
  return GuestLook::Listener{port,
                             of_v4 ? at.ends_with("7F") : at == "00000000000000000000000001000000"};
}

// "0102A8C0" is 192.168.2.1.
std::string gateway(std::string_view hex) {
  uint32_t value = 0;
  std::from_chars(hex.data(), hex.data() + hex.size(), value, 16);
  return value ? to_text(Address{__builtin_bswap32(value)}) : "";
}

} // namespace

std::string guest_script(const GuestQuestions& ask) {
  std::string ports;
  for (int port : ask.ports) ports += fmt::format("{}{:04X}", ports.empty() ? "" : " ", port);
  std::string script = fmt::format(
      "MAC={} ADDRESS={} TO={} PORT={} NAME={} NAMES={} PORTS={} QUERY_NAME={} QUERY_NAMES={}",
      shell_quote(ask.mac), shell_quote(ask.address), ask.to ? to_text(ask.to->address) : "",
      ask.to ? ask.to->port : 0, shell_quote(ask.name), ask.names ? "1" : "", shell_quote(ports),
      shell_quote(ask.name.empty() ? "" : query_of(ask.name, type_a)),
      shell_quote(query_of(".", type_ns)));
  script += questions;
  return "exec /bin/sh -c " + shell_quote(script);
}

GuestLook parse_guest_look(std::string_view printed) {
  GuestLook look;
  for (const std::string& line : split(printed, '\n')) {
    std::vector<std::string> w = split(line, ' ');
    auto rest = [&](size_t from) {
      std::string text;
      for (size_t i = from; i < w.size(); i++) text += (i > from ? " " : "") + w[i];
      return text;
    };
    auto ended = [&](auto how) {
      return w.size() < 3 ? Heard::nothing : how(w[1], number(w[2]), rest(3));
    };
    if (w[0] == "link" && w.size() == 3 && look.link.empty())
      look.link = w[1], look.carrier = w[2] == "1";
    else if (w[0] == "addressed")
      look.addressed = true;
    else if (w[0] == "route" && w.size() == 2 && !look.routed)
      look.routed = true, look.gateway = gateway(w[1]);
    else if (w[0] == "server" && w.size() == 2)
      look.servers.push_back(w[1]);
    else if (w[0] == "listen" && w.size() == 2) {
      if (auto l = listener(w[1])) look.listeners.push_back(*l);
    } else if (w[0] == "outside") {
      look.outside = ended(connection);
      if (look.outside != Heard::yes) look.said = rest(3);
    } else if (w[0] == "name")
      look.name = ended(lookup);
    else if (w[0] == "names")
      look.names = ended(lookup);
    else if (w[0] == "whole")
      look.whole = true;
  }
  return look;
}

} // namespace banger::ops
