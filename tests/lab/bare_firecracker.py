#!/usr/bin/env python3
"""Times a VM's start against a bare Firecracker that boots the same: kernel, initrd, disks, machine.

    bare_firecracker.py FIRECRACKER VM TIMES

VM runs on Firecracker, in a state of its own; it is stopped, and started and killed TIMES times, by turns with
the bare one, which has a network namespace of its own. Both are timed from the start of the first program until
a command was done over ssh. Prints {"bare", "start", "run", "start_ratio", "run_ratio"}: medians in seconds, of
`run` for `banger vm run --rm`, and their ratios to the bare one's. Needs root.
"""
import contextlib
import http.client
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost")
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


def ok(*command, **options):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, **options).stdout


def only_set(config):
    """What is not null: as an answer it says that nothing was set, in a file it is no value."""
    if isinstance(config, dict):
        return {key: only_set(value) for key, value in config.items() if value is not None}
    return [only_set(value) for value in config] if isinstance(config, list) else config


def config_of(socket_path):
    connection = UnixConnection(socket_path)
    connection.request("GET", "/vm/config")
    config = json.loads(connection.getresponse().read())
    connection.close()
    # The guest finds its disks by their order, which an answer does not keep.
    config["drives"].sort(key=lambda drive: drive["drive_id"])
    return only_set(config)


class Bare:
    """A directory with all that the VM boots, and a namespace with its tap."""

    def __init__(self, binary, vm, place):
        self.binary, self.place = binary, place
        self.namespace = f"bare-{os.getpid()}"
        runtime = os.path.dirname(vm["vmm"]["api_socket"])
        config = config_of(vm["vmm"]["api_socket"])
        boot = config["boot-source"]
        for name in boot["kernel_image_path"], boot["initrd_path"]:
            ok("cp", "-L", f"{runtime}/{name}", f"{place}/{name}")
        disks = {drive["path_on_host"]: os.path.realpath(f"{runtime}/{drive['path_on_host']}")
                 for drive in config["drives"]}
        ok("banger", "vm", "stop", vm["name"])
        for name, file in disks.items():
            ok("cp", "--sparse=always", file, f"{place}/{name}")
        with open(place + "/config", "w") as file:
            json.dump(config, file)
        net = vm["net"]
        self.address, tap = net["address"], config["network-interfaces"][0]["host_dev_name"]
        with open(vm["ssh"]["known_hosts"]) as file:
            host_key = next(line.split(" ", 1)[1].strip() for line in file if "ssh-ed25519" in line)
        self.request = json.dumps({"v": 1, "address": self.address, "port": 22, "user": "root", "seconds": 60,
                                   "identity": vm["ssh"]["identity"], "host_key": host_key}) + "\n"
        ok("ip", "netns", "add", self.namespace)
        for words in (f"tuntap add {tap} mode tap", f"address add {net['gateway']}/{net['prefix']} dev {tap}",
                      f"link set {tap} up",
                      f"neighbour add {self.address} lladdr {net['mac']} dev {tap} nud permanent"):
            ok("ip", "-n", self.namespace, *words.split())

    def end(self):
        ok("ip", "netns", "delete", self.namespace)

    def inside(self, *command):
        return ["ip", "netns", "exec", self.namespace, *command]

    def boot(self):
        """The seconds that it took."""
        # It waits for the port: a look every 20 ms, since nothing tells of a guest's first answer.
        look = ("import socket, sys, time\n"
                "while True:\n"
                "    try:\n"
                "        with socket.create_connection((sys.argv[1], 22), 0.1) as s:\n"
                "            s.settimeout(30)\n"
                "            if s.recv(4) == b'SSH-': break\n"
                "    except OSError:\n"
                "        time.sleep(0.02)\n")
        began = time.monotonic()
        with open(self.place + "/console", "w") as console:
            vmm = subprocess.Popen(self.inside(self.binary, "--no-api", "--config-file", "config", "--id", "bare"),
                                   cwd=self.place, stdin=subprocess.DEVNULL, stdout=console, stderr=console)
        try:
            ok(*self.inside("timeout", "60", sys.executable, "-c", look, self.address))
            guest = os.environ["BANGER_BUILD"] + "/libexec/banger/banger-guest"
            ok(*self.inside(guest, "await"), input=self.request)
            return time.monotonic() - began
        except subprocess.CalledProcessError:
            with open(self.place + "/console", errors="replace") as console:
                print(f"the bare VMM's status is {vmm.poll()}; it said:\n{console.read()[-4000:]}", file=sys.stderr)
            raise
        finally:
            vmm.kill()
            vmm.wait()


def timed(*command):
    began = time.monotonic()
    ok(*command)
    return time.monotonic() - began


def main(binary, name, times):
    vm = json.loads(ok("banger", "vm", "show", "--json", name))
    took = {"bare": [], "start": [], "run": []}
    with tempfile.TemporaryDirectory(prefix="bare-") as place, contextlib.ExitStack() as ends:
        bare = Bare(binary, vm, place)
        ends.callback(bare.end)
        for _ in range(int(times)):
            took["bare"].append(bare.boot())
            took["start"].append(timed("banger", "vm", "start", name))
            ok("banger", "vm", "kill", name)
            took["run"].append(timed("banger", "vm", "run", "--rm", "--", "true"))
    print(took, file=sys.stderr)
    medians = {what: round(statistics.median(those), 3) for what, those in took.items()}
    print(json.dumps({**medians, "start_ratio": round(medians["start"] / medians["bare"], 3),
                      "run_ratio": round(medians["run"] / medians["bare"], 3)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
