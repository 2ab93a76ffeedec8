#include "dns/wire.h"
#include "fuzz/try.h"

namespace banger::fuzz {

namespace {

std::string word(size_t value) { return {static_cast<char>(value >> 8), static_cast<char>(value)}; }

struct Asked {
  std::string name = dns::parse_name("demo.vm");
  size_t type = 1, klass = 1, flags = 0x0100;
  std::string rest = {}; // behind the question
  size_t additional = 0, questions = 1, answers = 0;

  std::string packet() const {
    return word(0x1234) + word(flags) + word(questions) + word(answers) + word(0) +
           word(additional) + name + word(type) + word(klass) + rest;
  }
};

std::string opt(size_t size, size_t version, size_t flags, const std::string& data = {}) {
  return std::string(1, '\0') + word(41) + word(size) + word(version) + word(flags) +
         word(data.size()) + data;
}

std::string record(const std::string& owner, size_t type, const std::string& data) {
  return owner + word(type) + word(1) + word(0) + word(4) + word(data.size()) + data;
}

std::string with(const std::string& rest, size_t additional = 1) {
  Asked asked;
  asked.rest = rest;
  asked.additional = additional;
  return asked.packet();
}

std::string answered(const std::string& packet, const std::string& records, size_t number) {
  std::string out = packet + records;
  out[2] = static_cast<char>(out[2] | 0x84);
  out.replace(6, 2, word(number));
  return out;
}

} // namespace

std::vector<std::string> packet_seeds() {
  std::vector<std::string> seeds;
  std::string longest(63, 'z');
  for (const std::string& name :
       {std::string("demo.vm"), std::string("dEMo.Vm"), std::string("x.y.demo.vm"),
        std::string("vm"), std::string("nobody.vm"), std::string("*.vm"), longest + ".vm",
        longest + "." + longest + "." + longest + "." + longest.substr(5) + ".vm",
        std::string("1.4.31.127.in-addr.arpa"), std::string("x.1.4.31.127.in-addr.arpa"),
        std::string("example.org"), std::string(".")})
    for (size_t type : {1, 2, 6, 12, 28, 255}) {
      Asked asked;
      asked.name = dns::parse_name(name);
      asked.type = type;
      seeds.push_back(asked.packet());
    }
  for (size_t type : {0, 16, 41, 65, 128, 250, 251, 252, 253, 254, 65535}) {
    Asked asked;
    asked.type = type;
    seeds.push_back(asked.packet());
  }
  for (size_t klass : {0, 3, 254, 255}) {
    Asked asked;
    asked.klass = klass;
    seeds.push_back(asked.packet());
  }
  for (size_t opcode = 0; opcode < 16; opcode++) {
    Asked asked;
    asked.flags = opcode << 11;
    seeds.push_back(asked.packet());
  }
  std::string cookie = word(10) + word(8) + "12345678";
  for (const std::string& rest :
       {opt(1232, 0, 0), opt(0, 0, 0x8000), opt(65535, 1, 0), opt(1232, 0, 0, cookie),
        opt(1232, 0, 0, cookie + word(12) + word(0)), opt(1232, 0, 0, cookie.substr(0, 11))})
    seeds.push_back(with(rest));
  std::string pointer = word(0xc00c);
  seeds.push_back(with(record(pointer, 1, "abcd")));
  seeds.push_back(with(record(pointer, 250, std::string(40, 'k')) + opt(1232, 0, 0), 2));
  // A TSIG record that is not the last, as it should be.
  seeds.push_back(with(record(pointer, 250, ")" + std::string(41, 'k')) + opt(1232, 0, 0), 2));
  // Several of them.
  std::string signature = record(std::string(1, '\0'), 250, std::string(17, '\0'));
  seeds.push_back(with(signature + signature + signature, 3));
  seeds.push_back(with(opt(1232, 0, 0) + opt(512, 0, 0), 2));
  seeds.push_back(with(opt(1232, 0, 0), 65535));
  Asked asked;
  asked.name = pointer;
  seeds.push_back(asked.packet());
  asked = {};
  asked.questions = 2;
  asked.rest = dns::parse_name("a.vm") + word(1) + word(1);
  seeds.push_back(asked.packet());
  // Answers that a server may give.
  std::string plain = Asked().packet();
  seeds.push_back(answered(plain, record(pointer, 1, {127, 31, 4, 1}), 1));
  seeds.push_back(answered(plain, record(pointer, 12, pointer), 1));
  seeds.push_back(answered(plain, record(pointer, 16, "\4text"), 1));
  seeds.push_back(
      answered(plain, record(pointer, 6, pointer + pointer + std::string(20, '\1')), 1));
  seeds.push_back(answered(plain, record(pointer, 46, std::string(18, '\1') + pointer), 1));
  // A CAA record whose tag is longer than the record: ldns takes it, and cannot write it.
  seeds.push_back(answered(plain, record(pointer, 257, {0, 0, 12, 1}), 1));
  return seeds;
}

std::vector<std::string> stream_seeds() {
  std::vector<std::string> packets = packet_seeds(), seeds;
  auto framed = [](const std::string& packet) { return word(packet.size()) + packet; };
  std::string all;
  for (size_t i = 0; i < packets.size(); i += 7) {
    std::string one = framed(packets[i]);
    if ((static_cast<uint8_t>(packets[i][2]) & 0x80) == 0) all += one;
    seeds.push_back(std::string(1, '\x1f') + one);
    seeds.push_back(std::string(1, '\4') + one + one + one.substr(0, 5));
  }
  for (char pieces : {'\0', '\1', '\4', '\x1f'}) seeds.push_back(pieces + all);
  seeds.push_back('\1' + word(0) + framed(packets[0]));
  seeds.push_back('\1' + framed(packets[0]) + word(65535) + packets[0]);
  seeds.push_back('\1' + framed(packets[0]) + framed("no question"));
  return seeds;
}

} // namespace banger::fuzz
