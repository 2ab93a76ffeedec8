#!/usr/bin/env python3
"""Asks banger-helper, as banger's programs do (lib/net/helper.h).

    ask_helper.py [UID]    requests on standard input, one a line, whole or without "v"; the answers on
                           standard output, one a line: "ok", "CODE: MESSAGE", or the object of a look
UID: as sudo tells on whose behalf it works.
"""
import json
import os
import socket
import subprocess
import sys

program = os.environ["BANGER_BUILD"] + "/libexec/banger/banger-helper"
environment = dict(os.environ, SUDO_UID=sys.argv[1] if len(sys.argv) > 1 else "0")


def ask(line):
    ours, theirs = socket.socketpair()
    child = subprocess.Popen([program], stdin=theirs, stdout=theirs, env=environment)
    theirs.close()
    try:
        ours.sendall(line.encode() + b"\n")
        answer = ours.makefile().read()
    except ConnectionError:
        answer = ""
    child.wait()
    return answer


for line in sys.stdin:
    line = line.rstrip("\n")
    if line.startswith("{") and '"v"' not in line:
        line = '{"v":1,' + line[1:]
    answer = ask(line)
    if not answer:
        print("no answer")
        continue
    reply = json.loads(answer)
    if "error" in reply:
        print(reply["error"]["code"] + ": " + reply["error"]["message"])
    else:
        print("ok" if set(reply) == {"v"} else json.dumps(reply))
