#!/usr/bin/env python3
"""Changes VMs and asks for their names, without a pause, and holds each answer against what it has changed.

    dns_load.py PORT ENOUGH TEST_VM STATE_DIR PID NAME ADDRESS

Until the file ENOUGH is there: lets the VM run (PID stands for its VMM) or stop, by TEST_VM, then asks until an
answer comes. A question is sent once from each socket, so nothing that was asked before is taken for its answer.
At the end it prints {"answers", "wrong", "failures", "worst"}: how many answers there were, which were not true,
how many were SERVFAIL, and the most seconds that passed from a first question to a true answer.
"""
import json
import os
import socket
import struct
import subprocess
import sys
import time

SERVFAIL = 2


def ask(port, question, patience):
    """None where nobody answers."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(patience)
        s.connect(("127.0.0.1", port))
        try:
            s.send(question)
            return s.recv(2000)
        except ConnectionRefusedError:
            time.sleep(0.005)  # nothing tells when somebody listens again
            return None
        except TimeoutError:
            return None


def main(port, enough, test_vm, state, pid, name, address):
    question = (struct.pack("!6H", 7, 0, 1, 0, 0, 0) + bytes([len(name)]) + name.encode() + b"\2vm\0" +
                struct.pack("!2H", 1, 1))
    found = socket.inet_aton(address)
    told = {"answers": 0, "wrong": [], "failures": 0, "worst": 0.0}
    runs = True
    while not os.path.exists(enough):
        runs = not runs
        subprocess.run([test_vm, state, "live", name, "running" if runs else "stopped", pid if runs else "0"], check=True)
        began = time.monotonic()
        true = False
        while not true:
            answer = ask(int(port), question, 0.5)
            if answer is None:
                continue
            told["answers"] += 1
            rcode = answer[3] & 15
            if rcode == SERVFAIL:
                told["failures"] += 1
                time.sleep(0.005)
                continue
            true = rcode == 0 and answer[-4:] == found if runs else rcode == 3
            if not true:
                told["wrong"].append(f"{'runs' if runs else 'stopped'}: {answer.hex()}")
                break
        told["worst"] = max(told["worst"], time.monotonic() - began)
    print(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])
