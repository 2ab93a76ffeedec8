#include "dns/relay.h"

#include <algorithm>
#include <random>

#include "core/error.h"
#include "dns/packet.h"
#include "sys/datagram.h"
#include "sys/inet.h"
#include "sys/socket.h"

namespace banger::dns {

namespace {

constexpr size_t most_of_tcp = 65535;

// The flags of the asker's that are passed on. The opcode is that of a query in any case.
constexpr unsigned from_asker = flag::recurse | flag::authentic | flag::unchecked;

uint16_t random_id() { return static_cast<uint16_t>(std::random_device()()); }

// An answer that tells nothing of the name: another server may know more.
bool is_poor(std::string_view answer) {
  switch (static_cast<Rcode>(word_at(answer, 2) & flag::rcode)) {
  case Rcode::formerr:
  case Rcode::servfail:
  case Rcode::notimp:
  case Rcode::refused:
    return true;
  default:
    return false;
  }
}

bool is_bare_refusal(std::string_view answer, std::string_view sent) {
  return answer.size() >= header_size && word_at(answer, 0) == word_at(sent, 0) &&
         (word_at(answer, 2) & flag::response) != 0 && word_at(answer, 4) == 0 && is_poor(answer);
}

} // namespace

std::string relayed_query(std::string_view packet, uint16_t id) {
  auto q = parse_query(packet);
  std::string out;
  put_word(out, id);
  put_word(out, word_at(packet, 2) & from_asker);
  put_word(out, 1);
  out.append(4, '\0');
  put_word(out, q->edns ? 1 : 0);
  out += q->question;
  if (!q->edns) return out;
  put_opt(out, std::min(q->most, udp_limits.edns), 0, q->dnssec_ok);
  return out;
}

bool answers(std::string_view answer, std::string_view sent) {
  size_t size = parse_query(sent)->question.size();
  if (answer.size() < header_size + size || word_at(answer, 0) != word_at(sent, 0)) return false;
  if ((word_at(answer, 2) & (flag::response | flag::opcode)) != flag::response ||
      word_at(answer, 4) != 1)
    return false;
  // Its type and class may look like letters.
  for (size_t i = header_size; i < header_size + size; i++) {
    bool of_name = i + 4 < header_size + size;
    if (of_name ? lower(answer[i]) != lower(sent[i]) : answer[i] != sent[i]) return false;
  }
  return true;
}

std::string relayed_answer(std::string answer, std::string_view packet, bool by_tcp) {
  auto q = parse_query(packet);
  answer.replace(0, 2, packet.substr(0, 2));
  answer.replace(header_size, q->question.size(), q->question);
  size_t most = by_tcp ? tcp_limits.plain
                       : (q->edns ? std::clamp(q->most, udp_limits.plain, udp_limits.edns)
                                  : udp_limits.plain);
  if (answer.size() <= most) return answer;
  answer.resize(header_size + q->question.size());
  set_word(answer, 2, word_at(answer, 2) | flag::truncated);
  for (size_t count : {6, 8, 10}) set_word(answer, count, 0);
  return answer;
}

Relay::Relay(sys::Loop& loop, Servers servers, const Limits& limits)
    : loop_(loop), servers_(std::move(servers)), limits_(limits) {}

Relay::~Relay() {
  for (Question& q : questions_) {
    loop_.cancel(q.timer);
    for (Try& t : q.tries) close(t);
  }
}

bool Relay::ask(Address asker, std::string_view packet, bool by_tcp, Give give) {
  if (!make_room_for(asker)) return false;
  of_one_[asker]++;
  auto q = questions_.insert(questions_.end(),
                             {asker, std::string(packet), relayed_query(packet, random_id()),
                              by_tcp, std::move(give), servers_()});
  // From the loop: `give` must never be called before ask() has returned.
  q->timer = loop_.after(Millis(0), [this, q] { go_on(q); });
  return true;
}

bool Relay::make_room_for(Address asker) {
  auto own = of_one_.find(asker);
  size_t has = own == of_one_.end() ? 0 : own->second;
  if (has >= limits_.of_one) return false;
  if (questions_.size() < limits_.most) return true;
  auto less = [](const auto& a, const auto& b) { return a.second < b.second; };
  auto most = std::ranges::max_element(of_one_, less);
  if (most->second <= has + 1) return false;
  fail(std::ranges::find(questions_, most->first, &Question::asker));
  return true;
}

// Asks the next server; after the last one, the first again.
void Relay::go_on(Questions::iterator q) {
  loop_.cancel(q->timer);
  while (q->tried < limits_.tries && !q->servers.empty()) {
    size_t next = static_cast<size_t>(q->tried++) % q->servers.size();
    if (!send(q, q->servers[next])) continue;
    q->timer = loop_.after(limits_.patience, [this, q] { go_on(q); });
    return;
  }
  fail(q);
}

bool Relay::send(Questions::iterator q, const NameServer& server) {
  try {
    auto known = std::ranges::find(q->tries, server, &Try::server);
    if (known != q->tries.end()) {
      // A server that refused is not asked again. TCP repeats lost bytes by itself.
      if (known->open && !q->by_tcp) sys::send_datagram(known->fd.get(), q->sent);
      return known->open;
    }
    Try& t = q->tries.emplace_back();
    t.server = server;
    t.open = false;
    t.fd = q->by_tcp ? sys::begin_connect_tcp(server.address, server.port)
                     : sys::connect_udp(server.address, server.port);
    t.open = true;
    if (!q->by_tcp) sys::send_datagram(t.fd.get(), q->sent);
    watch(q, t);
    return true;
  } catch (const Error&) { // no way there, or no descriptor left
    return false;
  }
}

void Relay::watch(Questions::iterator q, Try& t) {
  if (q->by_tcp)
    loop_.watch_writable(t.fd.get(), [this, q, &t] { on_connected(q, t); });
  else
    loop_.watch(t.fd.get(), [this, q, &t] { on_datagram(q, t); });
}

void Relay::close(Try& t) {
  t.open = false;
  if (!t.fd) return;
  loop_.forget(t.fd.get());
  loop_.forget_writable(t.fd.get());
  t.fd.reset();
}

void Relay::on_datagram(Questions::iterator q, Try& t) {
  std::string answer(sys::most_datagram, '\0');
  auto size = sys::receive_datagram(t.fd.get(), answer.data(), answer.size());
  if (!size) { // no server listens there, as an ICMP message has told
    close(t);
    return go_on(q);
  }
  answer.resize(*size);
  if (answers(answer, q->sent)) return take(q, std::move(answer));
  // A server may refuse a question without repeating it.
  if (!is_bare_refusal(answer, q->sent)) return;
  close(t);
  go_on(q);
}

void Relay::on_connected(Questions::iterator q, Try& t) {
  loop_.forget_writable(t.fd.get());
  std::string frame;
  put_word(frame, q->sent.size());
  frame += q->sent;
  try {
    // A new connection has room for it.
    if (sys::connect_error(t.fd.get()) == 0 && sys::send_some(t.fd.get(), frame) == frame.size()) {
      loop_.watch(t.fd.get(), [this, q, &t] { on_bytes(q, t); });
      return;
    }
  } catch (const Error&) { // it is gone already
  }
  close(t);
  go_on(q);
}

void Relay::on_bytes(Questions::iterator q, Try& t) {
  std::string more;
  try {
    more = sys::read_some(t.fd.get(), most_of_tcp + 2 - t.in.size());
  } catch (const Error&) { // reset
  }
  t.in += more;
  bool whole = t.in.size() >= 2 && t.in.size() >= 2 + word_at(t.in, 0);
  if (!more.empty() && !whole) return;
  std::string answer = whole ? t.in.substr(2, word_at(t.in, 0)) : "";
  close(t);
  if (answers(answer, q->sent)) return take(q, std::move(answer));
  go_on(q);
}

void Relay::take(Questions::iterator q, std::string answer) {
  if (!is_poor(answer)) return end(q, relayed_answer(std::move(answer), q->packet, q->by_tcp));
  q->poor = std::move(answer);
  // A poor answer: each other server is asked once.
  if (q->tried >= static_cast<int>(q->servers.size())) return fail(q);
  go_on(q);
}

void Relay::fail(Questions::iterator q) {
  std::string failure;
  if (q->poor.empty())
    answer_failure(q->packet, failure);
  else
    failure = relayed_answer(std::move(q->poor), q->packet, q->by_tcp);
  end(q, failure);
}

void Relay::end(Questions::iterator q, const std::string& answer) {
  loop_.cancel(q->timer);
  for (Try& t : q->tries) close(t);
  if (auto own = of_one_.find(q->asker); --own->second == 0) of_one_.erase(own);
  Give give = std::move(q->give);
  questions_.erase(q);
  give(answer);
}

} // namespace banger::dns
