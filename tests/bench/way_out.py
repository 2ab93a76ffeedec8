#!/usr/bin/env python3
"""One TCP stream out of a network namespace that stands where a guest would, to a sink outside.

    unshare --net tests/bench/way_out.py BANGER-BENCH-NET HOLDER          (as root)

Prints {"ours":[BYTES/S...],"bare":{MTU:[BYTES/S...]}}, measured in turns: ours through the private
network's bridge, rules and way out as a start makes them, bare through a slirp4netns alone with the
MTU that it says. All of it in the namespace that this is started in, which has no other use.
"""
import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time

OUTSIDE, PORT = "10.9.9.9", 7000
MTUS = [9000, 15900, 21880, 32800, 65520]
SECONDS, TURNS = 2, 3
SEND = f"""
import socket, time
c = socket.create_connection(("{OUTSIDE}", {PORT}), 10)
data, end = bytes(1 << 20), time.monotonic() + {SECONDS}
while time.monotonic() < end: c.sendall(data)
c.shutdown(socket.SHUT_WR)
c.recv(1)
"""


def run(*command):
    subprocess.run(command, check=True, timeout=60)


def inside(pid, *command):
    run("nsenter", "-t", str(pid), "-n", *command)


def ip(pid, text):
    inside(pid, "ip", *text.split())


def sink(listener, rates):
    data = bytearray(1 << 20)
    while True:
        try:
            c, _ = listener.accept()
        except OSError:
            return
        began, got = time.monotonic(), 0
        with c:
            while n := c.recv_into(data):
                got += n
        rates.append(got / (time.monotonic() - began))


@contextlib.contextmanager
def process(command, **options):
    child = subprocess.Popen(command, **options)
    try:
        yield child
    finally:
        child.kill()
        child.wait()


@contextlib.contextmanager
def namespace():
    """The pid of a process that does nothing in one of its own."""
    with process(["unshare", "--net", "sh", "-c", "echo; exec sleep 1000"],
                 stdout=subprocess.PIPE) as child:
        child.stdout.readline()
        ip(child.pid, "link set lo up")
        yield child.pid


def be_guest(pid, link, mtu):
    ip(pid, f"link set {link} mtu {mtu} up")
    ip(pid, f"addr add 10.0.2.15/24 dev {link}")
    ip(pid, "route add default via 10.0.2.2")


def send(pid):
    inside(pid, sys.executable, "-c", SEND)


def bare(mtu):
    ready, theirs = os.pipe()
    with namespace() as guest, process(
            ["slirp4netns", f"--mtu={mtu}", "--cidr=10.0.2.0/24", "--disable-host-loopback",
             "--enable-seccomp", f"--ready-fd={theirs}", str(guest), "way"],
            pass_fds=[theirs], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
        os.close(theirs)  # a read ends where slirp4netns does
        assert os.read(ready, 1), "slirp4netns did not start"
        be_guest(guest, "way", mtu)
        send(guest)
    os.close(ready)


def ours(program, holder):
    with (namespace() as guest, tempfile.TemporaryDirectory() as place,
          process([program, "way", holder, place], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                  text=True) as network):
        made = json.loads(network.stdout.readline())
        # In the tap's place and by its name: what is there is taken.
        ip(made["pid"], f"link add {made['tap']} type veth peer name eth0 address {made['mac']} "
                        f"netns {guest}")
        network.stdin.write("\n")
        network.stdin.flush()
        be_guest(guest, "eth0", json.loads(network.stdout.readline())["mtu"])
        send(guest)
        network.stdin.close()
        network.wait()


def main(program, holder):
    run("ip", "link", "set", "lo", "up")
    run("ip", "link", "add", "outside", "type", "veth", "peer", "name", "wire")
    for link in ("outside", "wire"):
        run("ip", "link", "set", link, "up")
    run("ip", "addr", "add", f"{OUTSIDE}/24", "dev", "outside")
    rates = []
    with socket.create_server((OUTSIDE, PORT)) as listener:
        threading.Thread(target=sink, args=(listener, rates), daemon=True).start()

        def rate(act, *words):
            before = len(rates)
            act(*words)
            while len(rates) == before:
                time.sleep(0.01)
            return rates[-1]

        result = {"ours": [], "bare": {mtu: [] for mtu in MTUS}}
        for _ in range(TURNS):
            result["ours"].append(rate(ours, program, holder))
            for mtu in MTUS:
                result["bare"][mtu].append(rate(bare, mtu))
    print(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
