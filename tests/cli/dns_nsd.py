#!/usr/bin/env python3
"""Asks two name servers that have the same zone the same questions, and compares all of the answers.

    dns_nsd.py zones DIRECTORY TTL SERIAL < HOSTS     writes what NSD serves: nsd.conf's zones, zone files
    dns_nsd.py compare OURS NSD COUNT SEED < HOSTS    two ports of 127.0.0.1

HOSTS are lines "NAME ADDRESS". `compare` prints a line for each question whose answers differ and are not
meant to (MEANT), the number of questions, and how many differed for each reason; status 1 if there was one
that is not meant, or a reason that no question had.
"""
import collections
import ipaddress
import random
import socket
import struct
import sys

ZONE = "vm"
NOERROR, FORMERR, NXDOMAIN, NOTIMP, REFUSED, BADVERS = 0, 1, 3, 4, 5, 16
A, NS, SOA, PTR, OPT, ANY = 1, 2, 6, 12, 41, 255


def reverse_of(address):
    return ipaddress.ip_address(address).reverse_pointer


def write_zones(directory, ttl, serial, hosts):
    """A zone file each, and the part of nsd.conf that names them."""
    head = "@ {0} IN SOA @ nobody.invalid. {1} 3600 600 86400 {0}\n@ {0} IN NS @\n".format(ttl, serial)
    zones = {ZONE: head + "".join(f"{owner} {ttl} IN A {address}\n" for name, address in hosts
                                  for owner in (name, f"*.{name}"))}
    for name, address in hosts:
        zones[reverse_of(address)] = head + f"@ {ttl} IN PTR {name}.{ZONE}.\n"
    with open(f"{directory}/zones.conf", "w", encoding="ascii") as conf:
        for zone, text in zones.items():
            path = f"{directory}/{zone}.zone"
            conf.write(f'zone:\n  name: "{zone}"\n  zonefile: "{path}"\n')
            with open(path, "w", encoding="ascii") as file:
                file.write(f"$ORIGIN {zone}.\n{text}")


# --- Questions.

def labels_of(name):
    return [label.encode() for label in name.split(".") if label]


def wire_of(labels):
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


class Question:
    """Its parts stay apart, so that a reason can look at them."""

    def __init__(self, labels, qtype, qclass):
        self.labels, self.qtype, self.qclass = labels, qtype, qclass
        self.flags, self.edns, self.behind, self.additional = 0, None, b"", []

    def packet(self, number):
        records = list(self.additional)
        if self.edns is not None:
            size, version, flags, options = self.edns
            records.append(b"\0" + struct.pack("!HHBBHH", OPT, size, 0, version, flags, len(options)) + options)
        return (struct.pack("!6H", number, self.flags, 1, 0, 0, len(records)) + wire_of(self.labels) +
                struct.pack("!2H", self.qtype, self.qclass) + b"".join(records) + self.behind)

    def __str__(self):
        return (f"{b'.'.join(self.labels)!r} type {self.qtype} class {self.qclass} flags {self.flags:#06x} "
                f"edns {self.edns} additional {self.additional} behind {self.behind!r}")


class Questions:
    """Made of the hosts and of chance."""

    def __init__(self, chance, hosts):
        self.chance, self.hosts = chance, hosts

    def label(self):
        chance = self.chance
        if chance.random() < 0.3:
            return chance.randbytes(chance.choice((1, 2, 8, 62, 63)))
        return bytes(chance.choices(b"abcdefghijklmnopqrstuvwxyz0123456789-_", k=chance.randint(1, 12)))

    def below(self, labels):
        """The same, or some labels below it; a star now and then."""
        for _ in range(self.chance.choice((0, 0, 0, 1, 1, 2, 5, 40))):
            label = b"*" if self.chance.random() < 0.08 else self.label()
            if len(wire_of([label] + labels)) > 255:
                break
            labels = [label] + labels
        return labels

    def labels(self):
        chance = self.chance
        name, address = chance.choice(self.hosts)
        reverse = labels_of(reverse_of(address))
        return chance.choices((
            lambda: self.below(labels_of(f"{name}.{ZONE}")),
            lambda: self.below([self.label(), ZONE.encode()]),
            lambda: [ZONE.encode()],
            lambda: self.below(reverse),
            lambda: reverse[chance.randint(1, 5):],
            lambda: [b"%d" % chance.randrange(256)] + reverse[1:],
            lambda: self.below([self.label()]),
            lambda: [name.encode()],
            lambda: [],
        ), (10, 4, 2, 5, 1, 1, 1, 1, 0.3))[0]()

    def mangled(self, labels):
        if self.chance.random() < 0.4:
            return labels
        return [bytes(c ^ 0x20 if chr(c).isalpha() and c < 128 and self.chance.random() < 0.5 else c for c in label)
                for label in labels]

    def options(self):
        chance = self.chance
        return b"".join(struct.pack("!HH", code, len(data)) + data for code, data in (
            # Neither NSID nor cookies: NSD would answer those that it was told to.
            (chance.choice((5, 6, 7, 8, 11, 12, 14, 65001)), chance.randbytes(chance.randrange(20)))
            for _ in range(chance.choice((0, 0, 1, 3)))))

    def one(self):
        chance = self.chance
        qtype = chance.choices(
            (A, PTR, SOA, NS, 28, ANY, 5, 15, 16, 33, 43, 46, 65, 257, chance.randrange(65536),
             chance.choice((0, OPT, 128, 200, 249, 250, 251, 252, 253, 254))),
            (10, 5, 3, 3, 4, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1))[0]
        qclass = 1 if chance.random() < 0.93 else chance.choice((3, 4, 254, 255, 0, chance.randrange(65536)))
        q = Question(self.mangled(self.labels()), qtype, qclass)
        q.flags = chance.choice((0, 0x0100, 0x0120, 0x0010))
        if chance.random() < 0.05:
            q.flags = chance.randrange(65536) & 0x05ff | chance.choice((0, 0, 0, 0x0800, 0x1000, 0x2800))
        if chance.random() < 0.5:
            q.edns = (chance.choice((0, 100, 512, 1232, 4096, 65535)), 0, chance.choice((0, 0x8000)), self.options())
            if chance.random() < 0.06:
                q.edns = (q.edns[0], chance.randint(1, 255), *q.edns[2:])
        if chance.random() < 0.02:
            q.behind = chance.randbytes(chance.randint(1, 30))
        return q


# --- Answers.

class Rest:
    def __init__(self, packet):
        self.packet, self.at = packet, 0

    def take(self, form):
        values = struct.unpack_from(form, self.packet, self.at)
        self.at += struct.calcsize(form)
        return values if len(values) > 1 else values[0]

    def name(self):
        labels, at, after = [], self.at, None
        while True:
            size = self.packet[at]
            if size >= 0xc0:
                after = after or at + 2
                at = (size & 0x3f) << 8 | self.packet[at + 1]
                continue
            at += 1
            if size == 0:
                self.at = after or at
                return b".".join(labels).lower()
            labels.append(self.packet[at:at + size])
            at += size

    def record(self):
        owner = self.name()
        rtype, rclass, ttl, size = self.take("!HHIH")
        end = self.at + size
        data = self.packet[self.at:end]
        if rtype in (NS, PTR):
            data = self.name()
        elif rtype == SOA:
            data = self.name(), self.name(), self.take("!5I")
        self.at = end
        return owner, rtype, rclass, ttl, data


Answer = collections.namedtuple("Answer", "rcode flags question answer authority additional edns")


def read(packet):
    """A packet that cannot be read is an exception."""
    rest = Rest(packet)
    _, flags, *counts = rest.take("!6H")
    begin = rest.at
    for _ in range(counts[0]):
        rest.name()
        rest.take("!HH")
    question = packet[begin:rest.at]
    sections = [[rest.record() for _ in range(count)] for count in counts[1:]]
    opts = [r for r in sections[2] if r[1] == OPT]
    rcode, edns = flags & 15, None
    if opts:
        ttl = opts[0][3]
        rcode |= ttl >> 24 << 4
        edns = ttl >> 16 & 0xff, ttl & 0xffff, without_extended_error(opts[0][4])
    if rest.at != len(packet):
        raise ValueError("something stands behind an answer")
    return Answer(rcode, flags & 0xfff0, question, sorted(sections[0], key=repr), sorted(sections[1], key=repr),
                  [r for r in sections[2] if r[1] != OPT], edns)


def without_extended_error(options):
    """NSD tells beside a refusal why it is one (RFC 8914), which the code says already."""
    rest, kept = Rest(options), b""
    while rest.at < len(options):
        begin = rest.at
        code, size = rest.take("!HH")
        rest.at += size
        if code != 15:
            kept += options[begin:rest.at]
    return kept


class Server:
    """Asked again at most `tries` times by those who get no answer."""

    def __init__(self, port, tries):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect(("127.0.0.1", port))
        self.tries = tries

    def ask(self, packets):
        came = {}
        for _ in range(self.tries):
            missing = [p for p in packets if p[:2] not in came]
            self.take(missing, came)
        if missing := [p for p in packets if p[:2] not in came]:
            sys.exit(f"port {self.socket.getpeername()[1]} does not answer {missing}")
        return [read(came[p[:2]]) for p in packets]

    def take(self, packets, came):
        for packet in packets:
            self.socket.send(packet)
        self.socket.settimeout(10 / self.tries)
        left = {p[:2] for p in packets}
        try:
            while left - came.keys():
                packet = self.socket.recv(65536)
                came[packet[:2]] = packet
        except TimeoutError:
            pass


# --- Answers that are meant to differ: why, for which questions, and ours then.

def is_below_star(q):
    return b"*" in [label.lower() for label in q.labels]


def has_code(*codes):
    return lambda q, ours, theirs: ours.rcode in codes and not ours.answer + ours.authority


def is_of_no_records(qtype):
    return qtype == 0 or qtype == OPT or 128 <= qtype < 255


MEANT = [
    ("below a literal '*' a name goes on to be the VM's: all below a VM's name is",
     is_below_star,
     lambda q, ours, theirs: ours.rcode == NOERROR and theirs.rcode == NXDOMAIN),
    ("what stands behind a question and is no record makes it none",
     lambda q: q.behind,
     lambda q, ours, theirs: ours.rcode == FORMERR and not ours.question),
    ("BADVERS has none of the question's flags but RD and DO",
     lambda q: q.edns and q.edns[1] != 0,
     lambda q, ours, theirs: ours.rcode == BADVERS and ours.flags == 0x8000 | q.flags & 0x7900 and
     ours == theirs._replace(flags=ours.flags, edns=(0, q.edns[2], b""))),
    ("a question of another class comes back with its refusal, as all do",
     lambda q: q.qclass != 1,
     lambda q, ours, theirs: ours.rcode == REFUSED and ours._replace(question=b"") == theirs),
    ("a type that no record has asks for none",
     lambda q: is_of_no_records(q.qtype), has_code(FORMERR, NOTIMP, REFUSED)),
    ("class ANY is refused: there is one class",
     lambda q: q.qclass == 255, has_code(REFUSED)),
    ("ANY is answered with one record, of our choice (RFC 8482)",
     lambda q: q.qtype == ANY,
     lambda q, ours, theirs: ours.rcode == NOERROR == theirs.rcode and len(ours.answer) == 1),
    ("NOTIMP has none of the question's flags but RD",
     lambda q: q.flags & 0x7800,
     lambda q, ours, theirs: ours.rcode == NOTIMP and ours.flags == 0x8000 | q.flags & 0x7900 and
     ours == theirs._replace(flags=ours.flags)),
    ("an RCODE in a question means nothing",
     lambda q: q.flags & 15,
     lambda q, ours, theirs: theirs.rcode == FORMERR and ours.rcode in (NOERROR, NXDOMAIN, REFUSED, BADVERS)),
]


def reason_for(q, ours, theirs):
    for why, applies, allows in MEANT:
        if applies(q) and allows(q, ours, theirs):
            return why
    return None


def compare(ours, theirs, count, seed, hosts):
    questions = Questions(random.Random(seed), hosts)
    # Ours loses nothing. NSD loses what comes while one of its processes gives way to another.
    servers = Server(ours, 1), Server(theirs, 5)
    met, bad, batch = collections.Counter(), 0, 50
    for begin in range(0, count, batch):
        asked = [questions.one() for _ in range(min(batch, count - begin))]
        packets = [q.packet((begin + number) % 65536) for number, q in enumerate(asked)]
        answers = [server.ask(packets) for server in servers]
        for q, mine, other in zip(asked, *answers):
            if mine == other:
                met["equal"] += 1
                continue
            why = reason_for(q, mine, other)
            met[why] += 1
            if why is None:
                bad += 1
                print(f"{q}\n  ours {mine}\n  NSD  {other}")
    print(f"{count} questions, seed {seed}")
    for why in ["equal"] + [why for why, _, _ in MEANT]:
        print(f"{met[why]:6} {why}")
        bad += met[why] == 0
    return 1 if bad else 0


def main(words):
    hosts = [tuple(line.split()) for line in sys.stdin]
    if words[0] == "zones":
        write_zones(words[1], int(words[2]), int(words[3]), hosts)
        return 0
    return compare(*map(int, words[1:5]), hosts)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
