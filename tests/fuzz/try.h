// The promises of the name server, and of the program with root's rights, tried with a stranger's
// bytes: none of them breaks one, whatever they are. A fuzzer calls these with bytes of its own
// making (./dev fuzz), and the unit tests with the seeds, so that they hold with any compiler.
//
// They throw std::logic_error that says which promise was broken.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace banger::fuzz {

// One packet: as a question, by UDP and by TCP, with a state and without, and as the answer to a
// question of ours. ldns reads what comes out, and reads the question beside us.
void try_packet(std::string_view bytes);

// The same, where guests ask and others answer for us (dns/relay.h); try_packet() does it, too.
void try_relay(std::string_view bytes);

// The bytes of one connection; the first of them says in how many pieces they come. A server on a
// real socket answers each whole question, in order, as by itself.
void try_stream(std::string_view bytes);

// A request to banger's helper: it is refused, or what becomes of it are elements of sets and maps
// of that state's own tables and nothing else, or a device and files of its own VMs.
void try_helper(std::string_view bytes);

// Where a fuzzer begins: packets of each shape that is known, and all that once broke a promise.
std::vector<std::string> packet_seeds();
std::vector<std::string> stream_seeds();
std::vector<std::string> helper_seeds();

} // namespace banger::fuzz
