#!/usr/bin/env python3
"""Asks banger-helper, as banger's programs do (lib/helper/ask.h).

    ask_helper.py [UID]       requests on standard input, one a line, whole or without "v"; the answers on
                              standard output, one a line: "ok", "CODE: MESSAGE", or the object of a look
    ask_helper.py --as UID    the same as that user, of the program in HELPER, which has capabilities
UID: as sudo tells on whose behalf it works.
"""
import json
import os
import socket
import subprocess
import sys

program = os.environ.get("HELPER") or os.environ["BANGER_BUILD"] + "/libexec/banger/banger-helper"
words = sys.argv[1:]
options = {}
if words[:1] == ["--as"]:
    uid = int(words[1])
    options = {"user": uid, "group": uid, "extra_groups": [int(g) for g in words[2:]]}
else:
    options = {"env": dict(os.environ, SUDO_UID=words[0] if words else "0")}
    if words:
        options["env"]["SUDO_GID"] = words[0]


def ask(line):
    ours, theirs = socket.socketpair()
    try:
        child = subprocess.Popen([program], stdin=theirs, stdout=theirs, **options)
    except PermissionError as e:
        return json.dumps({"error": {"code": "not started", "message": e.strerror}})
    theirs.close()
    answer = ""
    try:
        ours.sendall(line.encode() + b"\n")
    except ConnectionError:
        pass
    try:
        while more := ours.recv(65536):
            answer += more.decode()
    except ConnectionError:  # it refused before it read what it was asked
        pass
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
