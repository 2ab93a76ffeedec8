// Decides the answer to each question and asker: hosts in, decisions out. Pure: it knows no packet,
// no socket and no network.
//
// A zone has the hosts' names, and for each of their addresses a reverse zone of that address
// alone. All below a host's name answers as the host does. AXFR is refused.
//
// It may be the zone of a network of guests. The asker counts there: a guest gets the zone's
// answers, and its questions for other names are relayed (dns/relay.h). Names of private things
// are the exception: no other server is asked for them.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "dns/name.h"
#include "model/subnet.h"

namespace banger::dns {

// As in packets. Types beyond these are asked for, too, and exist nowhere.
enum class Type : uint16_t { a = 1, ns = 2, soa = 6, ptr = 12, aaaa = 28, opt = 41, any = 255 };
enum class Class : uint16_t { in = 1 };
enum class Rcode : uint8_t {
  noerror = 0,
  formerr = 1,
  servfail = 2,
  nxdomain = 3,
  notimp = 4,
  refused = 5,
  badvers = 16
};
// "A", "NXDOMAIN"; "TYPE65", "RCODE9" for others.
std::string to_text(Type type);
std::string to_text(Rcode rcode);

struct Host {
  std::string name; // one label
  Address address;
  bool operator==(const Host&) const = default;
};

// A record that must name a server has the zone's own name, and nobody@invalid as the keeper (as in
// RFC 6303): every other name in the zone may be a host's.
struct Soa {
  uint32_t serial = 0;
};
struct Record {
  Name owner;
  Type type = Type::a;
  uint32_t ttl = 0;                      // seconds; of an SOA, for the absence of a name, too
  std::variant<Address, Name, Soa> data; // a; ns and ptr; soa
};

// A network whose guests ask. Each guest is known by its address, whether it has a name or not.
struct GuestNetwork {
  Subnet subnet;
  std::vector<Host> guests;
  // False: `guests` is an earlier list. Outside names are relayed as ever, the rest is SERVFAIL.
  bool is_known = true;
  bool operator==(const GuestNetwork&) const = default;
};

class Zone {
public:
  // `name` is a valid zone (model/zone.h). Of two hosts with the same name or address the first
  // counts. With `network` only its guests get answers; without, every asker does.
  Zone(const std::string& name, std::chrono::seconds ttl, uint32_t serial,
       const std::vector<Host>& hosts, const std::optional<GuestNetwork>& network = {});
  Zone(const Zone&) = delete; // decisions point into it
  Zone& operator=(const Zone&) = delete;
  Zone(Zone&&) = default;
  Zone& operator=(Zone&&) = default;

  struct Decision {
    Rcode rcode = Rcode::noerror;
    bool authoritative = false;
    const Record* answer = nullptr;    // its owner is the name that was asked for
    const Record* authority = nullptr; // the SOA, where there is no answer (RFC 2308)
    bool relay = false;                // to other servers; the fields above do not count
  };
  // `name` as in dns/name.h. `asker` counts where guests of a network ask.
  Decision decide(std::string_view name, Type type, Class klass, Address asker = {}) const;

  // All of them; the decisions' own.
  std::span<const Record> records() const { return records_; }
  size_t host_count() const { return hosts_; }
  bool relays() const { return network_.has_value(); }

private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view name) const { return std::hash<std::string_view>()(name); }
  };
  // The records at a name. `whole`: all names below it answer the same.
  struct Node {
    std::vector<const Record*> records; // of one type each; the first answers ANY (RFC 8482)
    const Record* soa = nullptr;
    bool whole = false;
  };
  const Record* add(Record record);
  Node& add_apex(const Name& name, std::chrono::seconds ttl, uint32_t serial);
  Decision decide_known(std::string_view name, Type type, Class klass, Address asker) const;
  Decision outside(const std::string& guest, std::string_view name, Type type) const;

  std::vector<Record> records_; // never grown beyond its reserve: decisions point into it
  std::unordered_map<Name, Node, Hash, std::equal_to<>> nodes_;
  size_t hosts_ = 0;
  std::optional<Subnet> network_;
  bool is_known_ = true;
  std::map<Address, std::string> guests_; // the guests that may ask, with their names
};

} // namespace banger::dns
