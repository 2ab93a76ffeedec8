"""What a guest is given before it boots, made without banger's own code: for tests in Python."""
import ctypes, mmap, stat, time


def tsc_khz():
    """Of this host; without it a few in a hundred boots under emulation hang."""
    code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    code.write(b"\x0f\x31\x48\xc1\xe2\x20\x48\x09\xd0\xc3")  # rdtsc; rax |= rdx << 32; ret
    rdtsc = ctypes.CFUNCTYPE(ctypes.c_uint64)(ctypes.addressof(ctypes.c_char.from_buffer(code)))
    t0, c0 = time.clock_gettime_ns(time.CLOCK_MONOTONIC_RAW), rdtsc()
    while time.clock_gettime_ns(time.CLOCK_MONOTONIC_RAW) - t0 < 50_000_000:
        pass
    t1, c1 = time.clock_gettime_ns(time.CLOCK_MONOTONIC_RAW), rdtsc()
    return (c1 - c0) * 1_000_000 // (t1 - t0)


def cpio(entries):
    out = b""
    for ino, (name, mode, data) in enumerate(entries + [("TRAILER!!!", 0, b"")], 1):
        raw = name.encode() + b"\0"
        fields = [ino, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(raw), 0]
        out += b"070701" + b"".join(b"%08X" % f for f in fields) + raw
        out += b"\0" * (-len(out) % 4) + data
        out += b"\0" * (-len(out) % 4)
    return out


def seed_archive(lines, files):
    entries = [("banger", stat.S_IFDIR | 0o755, b""),
               ("banger/seed", stat.S_IFREG | 0o600, "".join(l + "\n" for l in lines).encode())]
    made = {"banger"}
    for path, data, mode in files:
        parts = ("banger/files/" + path).split("/")
        for i in range(1, len(parts)):
            parent = "/".join(parts[:i])
            if parent not in made:
                made.add(parent)
                entries.append((parent, stat.S_IFDIR | 0o755, b""))
        entries.append(("banger/files/" + path, stat.S_IFREG | mode, data))
    return cpio(entries)


def prctl_die_with_parent():
    """For a child before it executes: it is killed when the thread that made it ends."""
    ctypes.CDLL(None).prctl(1, 9)  # PR_SET_PDEATHSIG, SIGKILL
