// The answers of a zone to each kind of asker, rule by rule.
#include <gtest/gtest.h>

#include "core/error.h"
#include "dns/zone.h"

namespace banger::dns {

namespace {

using std::chrono::seconds;

Address address(const char* text) { return parse_address("address", text); }

Zone zone_of(const std::string& name = "vm", seconds ttl = seconds(3)) {
  return Zone(name, ttl, 7,
              {{"demo", address("127.31.4.1")},
               {"a", address("127.31.4.20")},
               {"vm", address("127.31.4.3")}});
}

// "NOERROR aa A 127.31.4.1", "NXDOMAIN aa soa:vm", "REFUSED".
std::string decided(const Zone& zone, const std::string& name, Type type = Type::a,
                    Class klass = Class::in) {
  auto d = zone.decide(parse_name(name), type, klass);
  std::string out = to_text(d.rcode);
  if (d.authoritative) out += " aa";
  if (d.answer) {
    out += " " + to_text(d.answer->type);
    if (const auto* a = std::get_if<Address>(&d.answer->data)) out += " " + to_text(*a);
    if (const auto* n = std::get_if<Name>(&d.answer->data)) out += " " + to_text(*n);
  }
  if (d.authority) {
    EXPECT_EQ(d.authority->type, Type::soa);
    out += " soa:" + to_text(d.authority->owner);
  }
  return out;
}

} // namespace

TEST(Name, TextAndBack) {
  EXPECT_EQ(parse_name("Demo.VM"), Name("\4demo\2vm\0", 9));
  EXPECT_EQ(parse_name("demo.vm."), parse_name("demo.vm"));
  EXPECT_EQ(parse_name("."), Name("\0", 1));
  EXPECT_EQ(to_text(parse_name("demo.vm")), "demo.vm");
  EXPECT_EQ(to_text(parse_name(".")), ".");
  EXPECT_EQ(to_text(std::string("\3a\0.\0", 5)), "a\\000\\046");
  EXPECT_EQ(to_text(reverse_name(address("127.31.4.1"))), "1.4.31.127.in-addr.arpa");
  for (const std::string& bad : {std::string(), std::string("a..b"), std::string(".a"),
                                 std::string(".."), std::string(64, 'a')})
    EXPECT_THROW(parse_name(bad), Error) << bad;
  std::string longest = std::string(63, 'a') + "." + std::string(63, 'b') + "." +
                        std::string(63, 'c') + "." + std::string(61, 'd');
  EXPECT_EQ(parse_name(longest).size(), 255U);
  EXPECT_THROW(parse_name(longest + "d"), Error);
}

TEST(Zone, AHostHasItsAddress) {
  Zone zone = zone_of();
  EXPECT_EQ(decided(zone, "demo.vm"), "NOERROR aa A 127.31.4.1");
  EXPECT_EQ(decided(zone, "a.vm"), "NOERROR aa A 127.31.4.20");
  EXPECT_EQ(decided(zone, "vm.vm"), "NOERROR aa A 127.31.4.3");
  EXPECT_EQ(zone.host_count(), 3U);
}

TEST(Zone, AllBelowAHostIsTheHost) {
  Zone zone = zone_of();
  EXPECT_EQ(decided(zone, "www.demo.vm"), "NOERROR aa A 127.31.4.1");
  EXPECT_EQ(decided(zone, "a.b.c.demo.vm"), "NOERROR aa A 127.31.4.1");
  EXPECT_EQ(decided(zone, "*.demo.vm"), "NOERROR aa A 127.31.4.1");
  EXPECT_EQ(decided(zone, "www.demo.vm", Type::aaaa), "NOERROR aa soa:vm");
  EXPECT_EQ(decided(zone, "*.vm"), "NXDOMAIN aa soa:vm");
}

TEST(Zone, NoDataIsNotNoName) {
  Zone zone = zone_of();
  EXPECT_EQ(decided(zone, "demo.vm", Type::aaaa), "NOERROR aa soa:vm");
  EXPECT_EQ(decided(zone, "demo.vm", Type(16)), "NOERROR aa soa:vm");
  EXPECT_EQ(decided(zone, "demo.vm", Type::ns), "NOERROR aa soa:vm");
  EXPECT_EQ(decided(zone, "vm"), "NOERROR aa soa:vm");
  EXPECT_EQ(decided(zone, "nobody.vm"), "NXDOMAIN aa soa:vm");
  EXPECT_EQ(decided(zone, "demo.nobody.vm"), "NXDOMAIN aa soa:vm");
  EXPECT_EQ(decided(zone, "nobody.vm", Type::aaaa), "NXDOMAIN aa soa:vm");
}

TEST(Zone, TheApexHasSoaAndNs) {
  Zone zone = zone_of();
  EXPECT_EQ(decided(zone, "vm", Type::soa), "NOERROR aa SOA");
  EXPECT_EQ(decided(zone, "vm", Type::ns), "NOERROR aa NS vm");
  for (const Record& r : zone.records()) {
    EXPECT_EQ(r.ttl, 3U);
    if (r.type == Type::soa) {
      EXPECT_EQ(std::get<Soa>(r.data).serial, 7U);
    }
  }
}

TEST(Zone, AnAddressLeadsToItsName) {
  Zone zone = zone_of();
  EXPECT_EQ(decided(zone, "1.4.31.127.in-addr.arpa", Type::ptr), "NOERROR aa PTR demo.vm");
  EXPECT_EQ(decided(zone, "20.4.31.127.in-addr.arpa", Type::ptr), "NOERROR aa PTR a.vm");
  EXPECT_EQ(decided(zone, "1.4.31.127.in-addr.arpa"), "NOERROR aa soa:1.4.31.127.in-addr.arpa");
  EXPECT_EQ(decided(zone, "1.4.31.127.in-addr.arpa", Type::soa), "NOERROR aa SOA");
  EXPECT_EQ(decided(zone, "1.4.31.127.in-addr.arpa", Type::ns),
            "NOERROR aa NS 1.4.31.127.in-addr.arpa");
  EXPECT_EQ(decided(zone, "x.1.4.31.127.in-addr.arpa", Type::ptr),
            "NXDOMAIN aa soa:1.4.31.127.in-addr.arpa");
}

TEST(Zone, OfOtherAddressesItKnowsNothing) {
  Zone zone = zone_of();
  for (const char* name : {"2.4.31.127.in-addr.arpa", "4.31.127.in-addr.arpa", "in-addr.arpa",
                           "1.0.0.127.in-addr.arpa", "0.4.31.127.in-addr.arpa"})
    EXPECT_EQ(decided(zone, name, Type::ptr), "REFUSED") << name;
}

TEST(Zone, WhatIsOutsideIsRefused) {
  Zone zone = zone_of();
  for (const char* name : {"example.org", ".", "vmx", "xvm", "demo.vm.org", "demo", "com"})
    EXPECT_EQ(decided(zone, name), "REFUSED") << name;
  EXPECT_EQ(decided(zone, "demo.vm", Type::a, Class(3)), "REFUSED");
  EXPECT_EQ(decided(zone, "demo.vm", Type::a, Class(255)), "REFUSED");
}

TEST(Zone, AZoneOfSeveralLabels) {
  Zone zone = zone_of("lab.internal");
  EXPECT_EQ(decided(zone, "demo.lab.internal"), "NOERROR aa A 127.31.4.1");
  EXPECT_EQ(decided(zone, "nobody.lab.internal"), "NXDOMAIN aa soa:lab.internal");
  EXPECT_EQ(decided(zone, "lab.internal", Type::soa), "NOERROR aa SOA");
  EXPECT_EQ(decided(zone, "internal"), "REFUSED");
  EXPECT_EQ(decided(zone, "demo.internal"), "REFUSED");
  EXPECT_EQ(decided(zone, "demo.vm"), "REFUSED");
  EXPECT_EQ(decided(zone, "1.4.31.127.in-addr.arpa", Type::ptr),
            "NOERROR aa PTR demo.lab.internal");
}

TEST(Zone, AnyIsAnsweredWithOneRecord) {
  Zone zone = zone_of();
  EXPECT_EQ(decided(zone, "demo.vm", Type::any), "NOERROR aa A 127.31.4.1");
  EXPECT_EQ(decided(zone, "1.4.31.127.in-addr.arpa", Type::any), "NOERROR aa PTR demo.vm");
  EXPECT_EQ(decided(zone, "vm", Type::any), "NOERROR aa SOA");
  EXPECT_EQ(decided(zone, "nobody.vm", Type::any), "NXDOMAIN aa soa:vm");
}

TEST(Zone, WhatIsNoQuestionOfRecords) {
  Zone zone = zone_of();
  EXPECT_EQ(decided(zone, "vm", Type(252)), "REFUSED"); // AXFR
  EXPECT_EQ(decided(zone, "vm", Type(251)), "REFUSED"); // IXFR
  EXPECT_EQ(decided(zone, "vm", Type(253)), "NOTIMP");  // MAILB
  EXPECT_EQ(decided(zone, "vm", Type(254)), "NOTIMP");
  for (int type : {0, 41, 128, 249, 250})
    EXPECT_EQ(decided(zone, "demo.vm", Type(type)), "FORMERR") << type;
  for (int type : {1, 3, 127, 256, 65535})
    EXPECT_TRUE(decided(zone, "demo.vm", Type(type)).starts_with("NOERROR aa")) << type;
}

TEST(Zone, WithoutHostsThereIsTheApex) {
  Zone zone("vm", seconds(0), 1, {});
  EXPECT_EQ(decided(zone, "vm", Type::soa), "NOERROR aa SOA");
  EXPECT_EQ(decided(zone, "demo.vm"), "NXDOMAIN aa soa:vm");
  EXPECT_EQ(zone.host_count(), 0U);
}

TEST(Zone, OfTwoWithOneNameTheFirstCounts) {
  Zone zone(
      "vm", seconds(0), 1,
      {{"a", address("127.0.1.1")}, {"a", address("127.0.1.2")}, {"b", address("127.0.1.1")}});
  EXPECT_EQ(decided(zone, "a.vm"), "NOERROR aa A 127.0.1.1");
  EXPECT_EQ(decided(zone, "b.vm"), "NXDOMAIN aa soa:vm");
  EXPECT_EQ(zone.host_count(), 1U);
}

TEST(Zone, DecisionsHoldWhenItIsMoved) {
  Zone first = zone_of();
  Zone zone = std::move(first);
  EXPECT_EQ(decided(zone, "demo.vm"), "NOERROR aa A 127.31.4.1");
  auto d = zone.decide(parse_name("demo.vm"), Type::a, Class::in);
  EXPECT_GE(d.answer, zone.records().data());
  EXPECT_LT(d.answer, zone.records().data() + zone.records().size());
}

TEST(Name, TheAddressesThatAReverseNameIsOf) {
  auto of = [](const char* name) {
    auto prefix = reversed(parse_name(name));
    return prefix ? to_text(*prefix) : "none";
  };
  EXPECT_EQ(of("4.2.0.10.in-addr.arpa"), "10.0.2.4/32");
  EXPECT_EQ(of("x.4.2.0.10.in-addr.arpa"), "10.0.2.4/32");
  EXPECT_EQ(of("2.0.10.in-addr.arpa"), "10.0.2.0/24");
  EXPECT_EQ(of("127.in-addr.arpa"), "127.0.0.0/8");
  for (const char* name : {"in-addr.arpa", "arpa", ".", "10.0.2.4", "256.in-addr.arpa",
                           "x.10.in-addr.arpa", "04.2.0.10.in-addr.arpa", "4.2.0.10.ip6.arpa"})
    EXPECT_EQ(of(name), "none") << name;
}

// --- A network whose guests ask.

namespace {

// Two VMs that run and one that does not.
Zone guests_zone() {
  return Zone(
      "vm", seconds(0), 7, {{"a", address("10.0.2.4")}, {"b", address("10.0.2.5")}},
      GuestNetwork{
          Subnet::parse("10.0.2.0/24"),
          {{"a", address("10.0.2.4")}, {"b", address("10.0.2.5")}, {"off", address("10.0.2.6")}}});
}

std::string told(const char* asker, const std::string& name, Type type = Type::a,
                 Class klass = Class::in) {
  static const Zone zone = guests_zone();
  auto d = zone.decide(parse_name(name), type, klass, address(asker));
  if (d.relay) return "relay";
  std::string out = to_text(d.rcode);
  if (d.answer) {
    if (const auto* a = std::get_if<Address>(&d.answer->data)) out += " " + to_text(*a);
    if (const auto* n = std::get_if<Name>(&d.answer->data)) out += " " + to_text(*n);
  }
  return out;
}

} // namespace

TEST(GuestsZone, AGuestIsToldTheOthersAndTheOutside) {
  EXPECT_EQ(told("10.0.2.4", "b.vm"), "NOERROR 10.0.2.5");
  EXPECT_EQ(told("10.0.2.4", "a.vm"), "NOERROR 10.0.2.4");
  EXPECT_EQ(told("10.0.2.4", "www.b.vm"), "NOERROR 10.0.2.5");
  EXPECT_EQ(told("10.0.2.4", "5.2.0.10.in-addr.arpa", Type::ptr), "NOERROR b.vm");
  EXPECT_EQ(told("10.0.2.4", "example.org"), "relay");
  EXPECT_EQ(told("10.0.2.4", "example.org", Type::aaaa), "relay");
  EXPECT_EQ(told("10.0.2.4", "8.8.8.8.in-addr.arpa", Type::ptr), "relay");
  EXPECT_EQ(told("10.0.2.4", "10.in-addr.arpa", Type::soa), "relay");
  EXPECT_EQ(told("10.0.2.6", "example.org"), "relay"); // it asks, so it runs
}

TEST(GuestsZone, NobodyElseIsToldAnything) {
  for (const char* asker : {"10.0.2.7", "10.0.2.1", "127.0.0.1", "0.0.0.0"})
    for (const char* name : {"a.vm", "example.org", "4.2.0.10.in-addr.arpa"})
      EXPECT_EQ(told(asker, name), "REFUSED") << asker << name;
}

TEST(GuestsZone, NamesOfPrivateThingsAreAskedOfNobody) {
  EXPECT_EQ(told("10.0.2.4", "off.vm"), "NXDOMAIN");
  EXPECT_EQ(told("10.0.2.4", "a.b.c.vm"), "NXDOMAIN");
  EXPECT_EQ(told("10.0.2.4", "vm"), "NOERROR");
  EXPECT_EQ(told("10.0.2.4", "off"), "NXDOMAIN");
  EXPECT_EQ(told("10.0.2.4", "off", Type::aaaa), "NXDOMAIN");
  EXPECT_EQ(told("10.0.2.4", "6.2.0.10.in-addr.arpa", Type::ptr), "NXDOMAIN");
  EXPECT_EQ(told("10.0.2.4", "2.0.10.in-addr.arpa", Type::ns), "NXDOMAIN");
  EXPECT_EQ(told("10.0.2.4", "4.3.2.127.in-addr.arpa", Type::ptr), "NXDOMAIN");
  // The root's own records are no machine's names.
  EXPECT_EQ(told("10.0.2.4", ".", Type::ns), "relay");
  EXPECT_EQ(told("10.0.2.4", "org", static_cast<Type>(43)), "relay");
}

TEST(GuestsZone, WhileNobodyKnowsTheOutsideIsThereAllTheSame) {
  Zone zone("vm", seconds(0), 7, {},
            GuestNetwork{Subnet::parse("10.0.2.0/24"), {{"a", address("10.0.2.4")}}, false});
  auto asked = [&](const char* asker, const char* name) {
    auto d = zone.decide(parse_name(name), Type::a, Class::in, address(asker));
    return d.relay ? "relay" : to_text(d.rcode);
  };
  EXPECT_EQ(asked("10.0.2.4", "example.org"), "relay");
  for (const char* name : {"a.vm", "vm", "b.vm", "b", "5.2.0.10.in-addr.arpa"})
    EXPECT_EQ(asked("10.0.2.4", name), "SERVFAIL") << name;
  EXPECT_EQ(asked("10.0.2.9", "example.org"), "SERVFAIL"); // a guest that has come since, or none
}

TEST(GuestsZone, WhatIsNoQuestionOfRecordsGoesNowhere) {
  EXPECT_EQ(told("10.0.2.4", "example.org", static_cast<Type>(252)), "REFUSED");
  EXPECT_EQ(told("10.0.2.4", "version.bind", static_cast<Type>(16), static_cast<Class>(3)),
            "REFUSED");
}

} // namespace banger::dns
