#!/usr/bin/python3
"""Serves Firecracker's API as its official description has it, at a Unix socket, and runs no guest.

    firecracker_api.py SOCKET DESCRIPTION [FAULT=PATH]... > LOG

Each request must be in the description, with a body that its schema allows and no member that it does
not name; one that is not is answered with status 400, and the server ends with status 1. What the
description calls "Pre-boot only" or "Post-boot only" is held. LOG has "METHOD PATH BODY" of each.
The server ends with status 0 when its client has gone.

Faults, at requests to that path:
    slow        the answer comes byte for byte
    cut         the connection is closed in the middle of the answer
    silent      there is no answer
    refuse      status 400, with a fault_message
    error       status 500, with a body that is no JSON
    number      status 400, with a fault_message that is no text
    garbage     what comes is no HTTP
    huge        a body of 8 MiB, and it says so
    endless     a head without an end
"""
import json
import os
import re
import socket
import sys
import time

import jsonschema
import yaml


def strict(schema):
    """Forbids members that a schema does not name: Swagger allows them, a client needs none."""
    if isinstance(schema, dict):
        if "properties" in schema and "additionalProperties" not in schema:
            schema["additionalProperties"] = False
        for value in schema.values():
            strict(value)
    elif isinstance(schema, list):
        for value in schema:
            strict(value)


class Description:
    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            self.whole = yaml.safe_load(file)
        strict(self.whole["definitions"])
        self.version = self.whole["info"]["version"]
        self.paths = [(re.compile(re.sub(r"\{[^}]*\}", "[^/]+", p) + "$"), re.findall(r"\{([^}]*)\}", p), p)
                      for p in self.whole["paths"]]

    def fault(self, method, path, body, booted):
        """The fault of a request; None if it has none."""
        for pattern, names, template in self.paths:
            if pattern.match(path):
                break
        else:
            return f"no path {path}"
        operation = self.whole["paths"][template].get(method.lower())
        if operation is None:
            return f"no {method} {path}"
        words = operation.get("summary", "") + operation.get("description", "")
        if booted and "Pre-boot only" in words:
            return "The requested operation is not supported after starting the microVM."
        if not booted and ("Post-boot only" in words or method == "PATCH"):
            return "The requested operation is not supported before starting the microVM."
        schemas = [p["schema"] for p in operation.get("parameters", ()) if p["in"] == "body"]
        if not schemas:
            return "a body that nobody asked for" if body else None
        try:
            value = json.loads(body)
        except ValueError as fault:
            return f"a body that is no JSON: {fault}"
        resolver = jsonschema.RefResolver("", self.whole)
        for fault in jsonschema.Draft4Validator(schemas[0], resolver=resolver).iter_errors(value):
            return f"{'/'.join(map(str, fault.absolute_path))}: {fault.message}"
        for name, said in zip(names, re.split("/", path)[-len(names):] if names else ()):
            if value.get(name, said) != said:
                return f"{name} is {value[name]} in the body, {said} in the path"
        return None


class Server:
    def __init__(self, where, description, faults):
        self.description, self.faults = description, faults
        self.has_kernel = self.has_balloon = self.booted = self.stands = self.wrong = False
        self.configured = False
        self.metrics = None
        self.where = os.path.dirname(where)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(where)
        self.listener.listen(4)

    def run(self):
        peer, _ = self.listener.accept()
        while (asked := self.read(peer)) is not None:
            if not self.answer(peer, *asked):
                break
        peer.close()
        return 1 if self.wrong else 0

    @staticmethod
    def read(peer):
        text = b""
        while b"\r\n\r\n" not in text:
            more = peer.recv(65536)
            if not more:
                return None
            text += more
        head, body = text.split(b"\r\n\r\n", 1)
        lines = head.decode().split("\r\n")
        method, path, form = lines[0].split(" ")
        assert form == "HTTP/1.1", form
        fields = dict(line.split(": ", 1) for line in lines[1:])
        assert "Host" in fields
        length = int(fields.get("Content-Length", 0))
        assert not length or fields["Content-Type"] == "application/json"
        while len(body) < length:
            body += peer.recv(length - len(body))
        assert len(body) == length, "more than one request at a time"
        return method, path, body.decode()

    def answer(self, peer, method, path, body):
        print(method, path, body, sep=" ", flush=True)
        wrong = self.description.fault(method, path, body, self.booted)
        status, said = 204, ""
        if wrong is None and path == "/actions":
            action = json.loads(body)["action_type"]
            if action == "InstanceStart" and (self.booted or not self.has_kernel):
                wrong = "no kernel, or started already"
            elif action != "InstanceStart" and not self.booted:
                wrong = f"{action} before the start"
            self.booted = self.booted or wrong is None
            if action == "FlushMetrics" and wrong is None:
                self.flush()
        if wrong is None and path == "/snapshot/create" and not self.stands:
            wrong = "a snapshot of a guest that runs"
        if wrong is None and path == "/metrics" and self.metrics is not None:
            wrong = "metrics are there already"
        if wrong is None and path == "/snapshot/load" and self.configured:
            wrong = "a load into a machine that was configured"
        if wrong:
            self.wrong = True
            print("WRONG:", wrong, flush=True)
            status, said = 400, json.dumps({"fault_message": wrong})
        elif path == "/boot-source":
            self.has_kernel = self.configured = True
        elif path == "/snapshot/load":
            self.booted = self.stands = True
        elif path == "/metrics":
            self.metrics = os.open(os.path.join(self.where, json.loads(body)["metrics_path"]),
                                   os.O_RDWR | os.O_NONBLOCK)
        elif path == "/vm":
            self.stands = json.loads(body)["state"] == "Paused"
        elif path == "/version":
            status, said = 200, json.dumps({"firecracker_version": self.description.version})
        elif path == "/balloon":
            self.has_balloon = True
        elif path == "/balloon/statistics":
            status, said = (200, self.balloon()) if self.has_balloon else (400, "{}")
        elif path == "/":
            status, said = 200, json.dumps({"app_name": "Firecracker", "id": "vm", "state": "Running",
                                            "vmm_version": self.description.version})
        return self.send(peer, path, status, said)

    def flush(self):
        """What is new since the last time, as Firecracker tells it."""
        if self.metrics is None:
            return
        counted = {"utc_timestamp_ms": 1, "block_root": {"read_bytes": 4096, "read_count": 1, "execute_fails": 1},
                   "block_work": {"write_bytes": 512, "write_count": 2, "flush_count": 3},
                   "net_n0": {"rx_bytes_count": 100, "tx_bytes_count": 50, "tx_fails": 1},
                   "vcpu": {"exit_io_in": 5, "exit_io_in_agg": {"sum_us": 7}}}
        os.write(self.metrics, (json.dumps(counted) + "\n").encode())

    def balloon(self):
        said = {"target_pages": 0, "actual_pages": 0, "target_mib": 0, "actual_mib": 0}
        if self.faults.get("/balloon/statistics") != "mute":
            said |= {"total_memory": 120000000, "free_memory": 50000000, "available_memory": 90000000}
        return json.dumps(said)

    def send(self, peer, path, status, said):
        fault = self.faults.get(path)
        if fault == "refuse":
            status, said = 400, json.dumps({"fault_message": "it will not.\x1b[2J"})
        elif fault == "number":
            status, said = 400, json.dumps({"fault_message": 7})
        elif fault == "error":
            status, said = 500, "<html>"
        elif fault == "huge":
            status, said = 200, "x" * (8 << 20)
        length = f"Content-Length: {len(said)}\r\n" if said else ""
        out = (f"HTTP/1.1 {status} \r\nServer: Firecracker API\r\nConnection: keep-alive\r\n"
               f"Content-Type: application/json\r\n{length}\r\n{said}").encode()
        if fault == "garbage":
            out = b"SSH-2.0-OpenSSH_9.2\r\n\r\n"
        elif fault == "endless":
            out = b"HTTP/1.1 200 OK\r\nX: " + b"x" * (8 << 20)
        elif fault == "cut":
            out = out[:len(out) // 2]
        elif fault == "silent":
            return True
        try:
            if fault == "slow":
                for byte in out:
                    peer.sendall(bytes([byte]))
                    time.sleep(0.001)
            else:
                peer.sendall(out)
        except OSError: # the client has had enough
            return False
        return fault != "cut"


def main():
    where, description, *faults = sys.argv[1:]
    table = {path: fault for fault, path in (f.split("=", 1) for f in faults)}
    server = Server(where, Description(description), table)
    sys.exit(server.run())


main()
