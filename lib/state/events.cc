#include "state/db.h"
#include "state/state.h"

namespace banger::state {

namespace {
constexpr int64_t ring_size = 10'000;
}

void State::add_event(const Event& event) {
  transaction([&] {
    db_->run("INSERT INTO event (time, op, vm, type, detail) VALUES (?, ?, ?, ?, ?)", event.time.ns,
             event.op, event.vm, event.type, event.detail);
    db_->run("DELETE FROM event WHERE seq <= (SELECT max(seq) FROM event) - ?", ring_size);
  });
}

std::vector<Event> State::events(int64_t after_seq, const std::string& vm, int limit) {
  std::vector<Event> found;
  db_->snapshot([&] {
    found.clear();
    Query q = db_->query("SELECT seq, time, op, vm, type, detail FROM event "
                         "WHERE seq > ? AND (? = '' OR vm = ?) ORDER BY seq LIMIT ?");
    q.bind(0, after_seq);
    q.bind(1, vm);
    q.bind(2, vm);
    q.bind(3, int64_t{limit});
    while (q.next())
      found.push_back(
          {q.number(0), WallTime{q.number(1)}, q.text(2), q.text(3), q.text(4), q.text(5)});
  });
  return found;
}

} // namespace banger::state
