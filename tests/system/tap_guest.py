#!/usr/bin/env python3
"""A guest that is root in its VM and sends what it likes, at a tap of its own.

    tap_guest.py TAP MAC ADDRESS BRIDGE-MAC HOST-ADDRESS PORT    asks the host in ways that no honest guest would

On standard output what a server of the host at PORT, everywhere, heard of it: a line each; and routes of
IPv6 that the host has now by that tap.
"""
import fcntl
import os
import socket
import struct
import sys
import time

tap_name, own_mac, own, bridge_mac, host, port = sys.argv[1:]
tap = os.open("/dev/net/tun", os.O_RDWR)
# TUNSETIFF; IFF_TAP | IFF_NO_PI
fcntl.ioctl(tap, 0x400454CA, struct.pack("16sH22x", tap_name.encode(), 0x0002 | 0x1000))
for _ in range(100):  # until the bridge takes frames from it
    with os.popen(f"bridge link show dev {tap_name}") as link:
        if "state forwarding" in link.read():
            break
    time.sleep(0.05)


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def datagram(source, to, text):
    udp = struct.pack("!HHHH", 1000, int(port), 8 + len(text), 0) + text
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0,
                       socket.inet_aton(source), socket.inet_aton(to))
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + udp


def advertisement():
    source, to = socket.inet_pton(socket.AF_INET6, "fe80::1"), socket.inet_pton(socket.AF_INET6, "ff02::1")
    prefix = struct.pack("!BBBBIII", 3, 4, 64, 0xC0, 86400, 86400, 0)
    prefix += socket.inet_pton(socket.AF_INET6, "2001:db8:bad::")
    said = struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0) + prefix
    whole = source + to + struct.pack("!II", len(said), 58) + said
    said = said[:2] + struct.pack("!H", checksum(whole)) + said[4:]
    return struct.pack("!IHBB", 0x60000000, len(said), 58, 255) + source + to + said


def send(to, source, kind, packet):
    os.write(tap, mac(to) + mac(source) + struct.pack("!H", kind) + packet)


ears = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
ears.bind(("0.0.0.0", int(port)))
ears.settimeout(0.2)


def heard(what):
    try:
        print(what, "was heard from", ears.recvfrom(200)[1][0], flush=True)
    except TimeoutError:
        pass


send(bridge_mac, own_mac, 0x800, datagram(own, host, b"plain"))
heard("plain")
for last in range(16):
    group = f"01:80:c2:00:00:{last:02x}"
    for source in own, "192.0.2.2", "10.77.0.5":
        send(group, own_mac, 0x800, datagram(source, host, b"group"))
        heard(f"{group} as {source}")
    send(group, own_mac, 0x86DD, advertisement())
for to in "33:33:00:00:00:01", bridge_mac:
    send(to, own_mac, 0x86DD, advertisement())
for tag in 0x8100, 0x88A8:
    packet = struct.pack("!HH", 0, 0x800) + datagram(own, host, b"tagged")
    send(bridge_mac, own_mac, tag, packet)
    heard(f"tag {tag:x}")
send(bridge_mac, own_mac, 0x800, datagram(own, "127.0.0.1", b"loopback"))
heard("loopback")
with os.popen(f"ip -6 route show table all type unicast dev {tap_name}") as routes:
    print(routes.read(), end="")
