"""Asks a name server from within a guest: ask.py VM ADDRESS udp|tcp NAME TYPE

Prints the code, the flags tc and ra where they are set, and what the answer has: addresses, and of
texts how many bytes. The guest has banger-test-udp as ./udp for it.
"""
import socket
import struct
import subprocess
import sys

VM, ADDRESS, HOW, NAME, TYPE = sys.argv[1:]
TYPES = {"A": 1, "PTR": 12, "TXT": 16, "AAAA": 28}
query = struct.pack(">HHHHHH", 0x4242, 0x0100, 1, 0, 0, 0)
query += b"".join(bytes([len(label)]) + label.encode() for label in NAME.split("."))
query += b"\0" + struct.pack(">HH", TYPES[TYPE], 1)
if HOW == "tcp":
    query = struct.pack(">H", len(query)) + query
if HOW == "udp":
    command = f"./udp ask 8 {ADDRESS} 53"
else:
    command = f"nc -w 8 {ADDRESS} 53"
# The guest's nc goes on until it hears the end: it is ended when the answer is here.
with subprocess.Popen(
    ["banger", "ssh", VM, "--", command], stdin=subprocess.PIPE, stdout=subprocess.PIPE
) as p:
    p.stdin.write(query)
    p.stdin.flush()
    if HOW == "udp":
        p.stdin.close()
        out = p.stdout.read()
    else:
        head = p.stdout.read(2)
        out = p.stdout.read(struct.unpack(">H", head)[0])
        p.kill()
if out[:2] != b"\x42\x42":
    sys.exit(f"no answer: {out!r}")
flags, _, count = struct.unpack(">HHH", out[2:8])
words = [{0: "NOERROR", 2: "SERVFAIL", 3: "NXDOMAIN", 5: "REFUSED"}[flags & 15]]
words += [word for bit, word in ((0x0200, "tc"), (0x0080, "ra")) if flags & bit]


def end_of_name(at):
    while out[at] and out[at] < 0xC0:
        at += 1 + out[at]
    return at + (2 if out[at] else 1)


at, texts = end_of_name(12) + 4, 0
for _ in range(count):
    at = end_of_name(at)
    kind, _, _, size = struct.unpack(">HHIH", out[at : at + 10])
    data = out[at + 10 : at + 10 + size]
    at += 10 + size
    if kind == 1:
        words.append(socket.inet_ntoa(data))
    elif kind == 16:
        texts += size
    else:
        labels, i = [], 0
        while i < len(data) and data[i] and data[i] < 0xC0:
            labels.append(data[i + 1 : i + 1 + data[i]].decode())
            i += 1 + data[i]
        words.append(".".join(labels))
if texts:
    words.append(str(texts))
print(*words)
