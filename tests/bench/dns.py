"""The DNS rows of the bench (tests/bench/run): ours beside a program that only sends back what it gets, and beside
dnsmasq and knot with the same names. Each server has one processor, who asks has another; all on 127.0.0.1."""
import contextlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import time

NAMES, ROUNDS, SECONDS, ASKED = 100, 5, 1, 10_000
SERVER_CPU, CLIENT_CPU = "0", "1"
PORT = 32042  # below those that the kernel gives away


def sbin(name):
    return shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin")


class Bench:
    def __init__(self, programs, build, root):
        self.programs, self.build, self.root = programs, build, f"{root}/dns"
        self.state = f"{self.root}/state"
        os.makedirs(self.root)
        self.commands = {}

    def asker(self, *words):
        done = subprocess.run(["taskset", "-c", CLIENT_CPU, f"{self.programs}/banger-bench-dns", *map(str, words)],
                              check=True, stdout=subprocess.PIPE, text=True)
        return json.loads(done.stdout)

    def test_vm(self, *words):
        return subprocess.run([f"{self.programs}/banger-test-vm", self.state, *map(str, words)], check=True,
                              stdout=subprocess.PIPE, text=True).stdout.strip()

    def add_servers(self, vmm):
        """Ours has VMs that run by the process `vmm`; the others the same names."""
        hosts = {}
        for i in range(NAMES):
            hosts[f"v{i}"] = self.test_vm("add", f"v{i}")
            self.test_vm("live", f"v{i}", "running", vmm)
        os.environ.update(BANGER_STATE_DIR=self.state, BANGER_DNS_LISTEN=f"127.0.0.1:{PORT}")
        self.commands["ours"] = [f"{self.build}/bin/banger-dns", "serve"]
        self.commands["echo"] = [f"{self.programs}/banger-bench-dns", "echo", str(PORT)]
        if dnsmasq := sbin("dnsmasq"):
            conf = pathlib.Path(f"{self.root}/dnsmasq.conf")
            conf.write_text("no-resolv\nno-hosts\nbind-interfaces\nlisten-address=127.0.0.1\nlocal=/vm/\n"
                            f"port={PORT}\nuser=\npid-file=\nno-daemon\n" +
                            "".join(f"host-record={name}.vm,{address}\n" for name, address in hosts.items()))
            self.commands["dnsmasq"] = [dnsmasq, "-C", str(conf)]
        if knotd := sbin("knotd"):
            os.makedirs(f"{self.root}/knot")
            pathlib.Path(f"{self.root}/knot/vm.zone").write_text(
                "@ 0 IN SOA @ nobody.invalid. 1 3600 600 86400 0\n@ 0 IN NS @\n" +
                "".join(f"{name} 0 IN A {address}\n" for name, address in hosts.items()))
            conf = pathlib.Path(f"{self.root}/knot/conf")
            conf.write_text(f"server:\n  rundir: {self.root}/knot\n  listen: 127.0.0.1@{PORT}\n  udp-workers: 1\n"
                            f"  tcp-workers: 1\n  background-workers: 1\ndatabase:\n  storage: {self.root}/knot\n"
                            f"zone:\n  - domain: vm\n    storage: {self.root}/knot\n    file: vm.zone\n")
            self.commands["knot"] = [knotd, "-c", str(conf)]

    @contextlib.contextmanager
    def server(self, name):
        """It runs and answers; the seconds that it took to."""
        began = time.monotonic()
        with open(f"{self.root}/{name}.log", "ab") as log:
            process = subprocess.Popen(["taskset", "-c", SERVER_CPU, *self.commands[name]], stdout=log, stderr=log)
        try:
            self.asker("first", PORT, 10)
            yield process.pid, time.monotonic() - began
        finally:
            process.terminate()
            process.wait()


def processor_seconds(pid):
    """Of all its threads."""
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


def pss_kib(pid):
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(re.search(r"^Pss: +([0-9]+)", text, re.M)[1])


def middle(values):
    return sorted(values)[len(values) // 2]


def measure(bench):
    """Medians of each server's figures; the servers take turns."""
    figures = {name: {} for name in bench.commands}

    def note(name, what, value):
        figures[name].setdefault(what, []).append(value)

    for _ in range(ROUNDS):
        for name in bench.commands:
            with bench.server(name) as (pid, start):
                note(name, "start", start)
                bench.asker("latency", PORT, NAMES, ASKED // 10)  # warm
                result = bench.asker("latency", PORT, NAMES, ASKED)
                note(name, "p50", result["p50"])
                note(name, "p99", result["p99"])
                before = processor_seconds(pid)
                result = bench.asker("saturate", PORT, NAMES, SECONDS)
                note(name, "rate", result["answers"] / result["seconds"])
                note(name, "processor", (processor_seconds(pid) - before) / result["answers"])
                note(name, "pss", pss_kib(pid))
    return {name: {what: middle(values) for what, values in those.items()} for name, those in figures.items()}


def stale_answers(bench, vmm, changes, jobs):
    """How many of so many questions, each sent after a commit returned, had an answer from before it."""
    with bench.server("ours"):
        flips = [subprocess.Popen([f"{bench.programs}/banger-test-vm", bench.state, "flip", f"v{i}", vmm, str(PORT),
                                   str(changes // jobs)], stdout=subprocess.PIPE, text=True) for i in range(jobs)]
        return sum(int(flip.communicate()[0]) for flip in flips)


def add_rows(table, found, stale):
    ours = found["ours"]

    def row(what, mine, other, ratio, goal, met):
        table.add(f"DNS: {what}", mine, other, round(ratio, 2), goal, met)

    def compare(what, key, show, others, better):
        for name in others:
            if name not in found:
                table.count(f"DNS: {what}", show(ours[key]), f"{name} is not installed", False)
                continue
            ratio = ours[key] / found[name][key]
            goal, most = others[name]
            met = goal is None or better(ratio, most)
            row(what, show(ours[key]), f"{show(found[name][key])} {name}", ratio, goal or "-", met)

    def at_least(ratio, most):
        return ratio >= most

    def at_most(ratio, most):
        return ratio <= most

    none = (None, None)
    compare("questions a second, one core", "rate", lambda v: f"{v / 1000:.0f}k",
            {"echo": (">= 0.95 x", 0.95), "dnsmasq": none, "knot": none}, at_least)
    compare("processor a question", "processor", lambda v: f"{v * 1e6:.2f} us",
            {"echo": ("<= 1.05 x", 1.05), "dnsmasq": none, "knot": none}, at_most)
    compare("one in flight, p99", "p99", lambda v: f"{v * 1e6:.1f} us",
            {"echo": ("<= 1.1 x", 1.1), "dnsmasq": none, "knot": none}, at_most)
    compare("one in flight, median", "p50", lambda v: f"{v * 1e6:.1f} us",
            {"echo": none, "dnsmasq": none, "knot": none}, at_most)
    compare("start to first answer", "start", lambda v: f"{v * 1e3:.1f} ms",
            {"dnsmasq": ("<= 0.6 x", 0.6), "knot": none}, at_most)
    compare("memory (PSS)", "pss", lambda v: f"{v} KiB",
            {"dnsmasq": ("<= 1.0 x", 1.0), "knot": none}, at_most)
    table.count("DNS: stale answers in 10,000 changes", stale, "0", stale == 0)


def run(table, programs, build, root):
    if len(os.sched_getaffinity(0)) < 2:
        table.count("DNS", "needs two processors", "-", False)
        return
    bench = Bench(programs, build, root)
    vmm = subprocess.Popen(["sleep", "600"])
    try:
        bench.add_servers(vmm.pid)
        found = measure(bench)
        add_rows(table, found, stale_answers(bench, str(vmm.pid), 10_000, 4))
    finally:
        vmm.kill()
        vmm.wait()
