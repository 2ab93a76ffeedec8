"""A little name server: name_server.py ADDRESS LOG

Serves UDP and TCP at port 53 of ADDRESS (of IPv4 or IPv6), and writes each question into LOG, a line each: how it
came, the name, the number of the type. It knows www.outside.test (A) and large.outside.test (TXT, too
large for UDP), says nothing of silent.outside.test, and there is no other name.
"""
import os
import socket
import socketserver
import struct
import sys
import threading

ADDRESS, LOG = sys.argv[1:]
FAMILY, _, _, _, AT = socket.getaddrinfo(ADDRESS, 53, flags=socket.AI_NUMERICHOST)[0]
log = os.open(LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)


def answer_to(packet, how):
    labels, at = [], 12
    while packet[at]:
        labels.append(packet[at + 1 : at + 1 + packet[at]].decode())
        at += 1 + packet[at]
    kind = struct.unpack(">H", packet[at + 1 : at + 3])[0]
    question, name = packet[12 : at + 5], ".".join(labels).lower()
    os.write(log, f"{how} {name} {kind}\n".encode())
    records, flags = [], 0x8180
    if (name, kind) == ("www.outside.test", 1):
        records = [socket.inet_aton("192.0.2.7")]
    elif (name, kind) == ("large.outside.test", 16):
        records = [b"\xff" + bytes([65 + i]) * 255 for i in range(12)]
        if how == "udp":
            records, flags = [], flags | 0x0200
    elif name not in ("www.outside.test", "large.outside.test"):
        flags |= 3
    out = packet[:2] + struct.pack(">HHHHH", flags, 1, len(records), 0, 0) + question
    for data in records:
        out += b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 60, len(data)) + data
    return out


class Datagram(socketserver.BaseRequestHandler):
    def handle(self):
        answer = answer_to(self.request[0], "udp")
        if b"\x06silent" not in answer:
            self.request[1].sendto(answer, self.client_address)


class Stream(socketserver.StreamRequestHandler):
    def handle(self):
        while head := self.rfile.read(2):
            out = answer_to(self.rfile.read(struct.unpack(">H", head)[0]), "tcp")
            self.wfile.write(struct.pack(">H", len(out)) + out)


class Datagrams(socketserver.UDPServer):
    address_family = FAMILY


class Streams(socketserver.ThreadingTCPServer):
    address_family = FAMILY
    allow_reuse_address = True


streams, datagrams = Streams(AT, Stream), Datagrams(AT, Datagram)
threading.Thread(target=streams.serve_forever, daemon=True).start()
os.write(log, b"ready\n")
datagrams.serve_forever()
