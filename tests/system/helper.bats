#!/usr/bin/env bats
# banger-helper and its callers: what a user cannot trick it into, in a /run, an /etc and a network of
# the test's own. What it maps is mapped in the lab (tests/lab/dm.bats): here is no device that it could
# have, so that "no loop devices" is what it says of files that it would take.
load ../lib

setup() {
  [ "$(id -u)" -eq 0 ] || skip 'only root gives files away'
  private_root
  mkdir -p "$root/etc/banger"
  cp -a /etc/{passwd,group,nsswitch.conf,ld.so.cache} "$root/etc/"
  touch "$root/etc/resolv.conf" "$root/no-loop"
  unshare --mount --net bash -c '
    set -e
    mount --bind "$1/etc" /etc
    mount -t tmpfs -o mode=755 none /run
    [ ! -e /dev/loop-control ] || mount --bind -o ro "$1/no-loop" /dev/loop-control
    ip link set lo up
    touch "$1/world"
    exec sleep infinity' - "$root" 3>&- &
  world=$!
  await 10 test -e "$root/world"
  for uid in 1000 1001; do state_of $uid; done
}
teardown() {
  end ${world:-}
  remove_private_root
}

within() { nsenter --target "$world" --mount --net -- "$@"; }
ask_helper() { within "$BATS_TEST_DIRNAME/ask_helper.py" "$@"; }
vm=0123456789ab image=ba9876543210
# state_of UID: a state's directory with an image and a VM, whole.
state_of() {
  within setpriv --reuid="$1" --regid="$1" --clear-groups true
  within bash -ec '
    umask 077
    mkdir -p /run/$1/{images/$3,vms/$2}
    mke2fs -q -t ext4 /run/$1/images/$3/root.ext4 8M
    truncate -s 10M /run/$1/vms/$2/cow.img
    chown -R $1:$1 /run/$1' - "$1" $vm $image
}
# map TAG UID [DIR [VM [IMAGE [IDENTITY]]]]
map() {
  printf '{"do":"map","tag":"%s","vm":"%s","identity":"%s","dir":"%s","image":"%s"}\n' "$1" "${4:-$vm}" \
    "${6:-banger-$1-${4:-$vm}-root-x}" "${3-/run/$2}" "${5:-$image}"
}
refused() {
  [[ $1 == *"$2"* ]] || {
    echo "'$1' is not: $2" >&2
    false
  }
}
taken='no loop devices'

# bats test_tags=once
@test "of a disk's files nothing is believed: links, devices, others' files, names" {
  try() { ask_helper 1000 < <(map aaaa 1000 "${@:2}") | refused_by "$1"; }
  refused_by() { refused "$(cat)" "$1"; }
  at() { within bash -ec "cd /run/1000/vms/$vm; $1"; }
  try "$taken"
  # The file itself: another's by a symbolic link, and by a hard one; a device; a FIFO; one that others write.
  within chmod -R a+rwX /run/1001
  at 'mv cow.img own; ln -s /run/1001/vms/*/cow.img cow.img'
  try 'symbolic links'
  at 'rm cow.img; ln /run/1001/vms/*/cow.img cow.img'
  try "it is another user's"
  at 'rm cow.img; ln own cow.img'
  try 'it has another name, too'
  at 'rm cow.img; mknod cow.img b 7 0; chown 1000 cow.img'
  try 'it is no file'
  at 'rm cow.img; mkfifo cow.img; chown 1000 cow.img'
  try 'it is no file'
  at 'rm cow.img; mkdir cow.img; chown 1000 cow.img'
  try 'it is no file'
  at 'rmdir cow.img; mv own cow.img; chmod 666 cow.img'
  try 'others may write to it'
  at 'chmod 600 cow.img; chown 0 cow.img'
  try "it is another user's"
  at 'chown 1000 cow.img'
  # The way to it: a link in place of each directory, and of the state's.
  within bash -ec 'cd /run/1000; mv vms real; ln -s real vms'
  try 'symbolic links'
  within bash -ec 'cd /run/1000; rm vms; mv real vms; ln -s /run/1000 /run/link'
  try 'symbolic links' /run/link
  try 'cannot open' /../run/1000
  try 'invalid directory' 1000
  try 'invalid directory' ''
  try 'cannot open' "/run/$(printf '%0300d' 1)"
  try 'invalid directory' "/$(printf '%05000d' 1)"
  try 'no such file' /run/1000/nothing
  # A directory in which he has no business: what is opened is opened with his rights.
  within chmod 700 /run/1001
  try 'permission denied' /run/1001
  # Names.
  try 'invalid mapped disk' /run/1000 ../../etc/pas
  try 'invalid image' /run/1000 $vm ../../1001/im
  try 'invalid mapped disk' /run/1000 $vm $image "banger-bbbb-$vm-root-x"
  try 'invalid mapped disk' /run/1000 $vm $image "banger-aaaa-$vm-root-$(printf '%0100d' 1)"
  try 'invalid mapped disk' /run/1000 $vm $image "banger-aaaa-$vm-root-x y"
  refused "$(map ../x 1000 | ask_helper 1000)" 'invalid mapped disk'
  # An image that is none, and a copy-on-write file of another size.
  at 'truncate -s 11000001 cow.img'
  try 'no size of a copy-on-write file'
  at 'truncate -s 10M cow.img'
  within dd if=/dev/zero of=/run/1000/images/$image/root.ext4 bs=4k count=1 conv=notrunc status=none
  try 'not an ext4 file system'
  # Nothing came to be, but that the tag is his now, and what has it: another cannot have it.
  same "$(within ls /run/banger | grep -c disks)" 0
  refused "$(map aaaa 1001 | ask_helper 1001)" 'belongs to another user'
  refused "$(ask_helper 1001 <<<'{"do":"up","tag":"aaaa"}')" 'belongs to another user'
  refused "$(ask_helper 1001 <<<"{\"do\":\"unmap\",\"tag\":\"aaaa\",\"vm\":\"$vm\",\"identity\":\"banger-aaaa-$vm-root-x\"}")" 'belongs to another user'
  within chmod -R go= /run/1001
  refused "$(map bbbb 1001 | ask_helper 1001)" "$taken"
}

# bats test_tags=once
@test "by sudo a user has the groups of /etc/group where files are opened, and no others" {
  within bash -ec "mkdir -m 750 /run/shared; chgrp 2000 /run/shared; mv /run/1000 /run/shared/"
  sed -i '/^[^:]*:[^:]*:1000:/d' "$root/etc/passwd"
  echo 'someone:x:1000:1000::/:/bin/sh' >>"$root/etc/passwd"
  echo 'sharers:x:2000:else,someone2' >>"$root/etc/group"
  refused "$(map aaaa 1000 /run/shared/1000 | ask_helper 1000)" 'permission denied'
  echo 'more:x:2000:else,someone' >>"$root/etc/group"
  refused "$(map aaaa 1000 /run/shared/1000 | ask_helper 1000)" "$taken"
}

# bats test_tags=once
@test "a link that is swapped in while the helper runs is never followed" {
  within chmod -R a+rwX /run/1001
  # Another's file, of a size that would be told if it were ever opened.
  within truncate -s 77777 "/run/1001/vms/$vm/cow.img"
  within bash -ec "
    cd /run/1000/vms
    ln -s /run/1001/vms/$vm/cow.img $vm/link
    ln -s /run/1001/vms/$vm other
    touch /run/race; chown 1000 . $vm /run/race; chmod 777 /run/1000 /run"
  # Two names at a time, the file and its directory, as fast as the kernel does it.
  within setpriv --reuid=1000 --regid=1000 --clear-groups python3 - /run/1000/vms $vm <<'EOF' 3>&- &
import ctypes, os, sys
libc = ctypes.CDLL(None)
os.chdir(sys.argv[1])
vm = sys.argv[2].encode()
while os.path.exists("/run/race"):
    for _ in range(100):
        for a, b in ((vm + b"/cow.img", vm + b"/link"), (vm, b"other")):
            libc.renameat2(-100, a, -100, b, 2)
EOF
  racer=$!
  for _ in $(seq 60); do map aaaa 1000; done | ask_helper 1000 >"$root/said"
  within rm /run/race
  wait $racer
  # Both were met, or nothing was raced; and nothing else was said, above all not of the other file.
  grep -q "$taken" "$root/said"
  grep -q 'symbolic links' "$root/said"
  same "$(grep -v "$taken\|symbolic links\|not a directory" "$root/said")" ''
}

# with_capabilities [BITS]: the helper as root sets it up without sudo, for group 2000; in $HELPER.
with_capabilities() {
  export HELPER=/run/libexec/banger-helper
  within bash -ec '
    mkdir -p /run/libexec
    cp "$BANGER_BUILD/libexec/banger/banger-helper" "$HELPER"
    chgrp 2000 "$HELPER"
    chmod 750 "$HELPER"'
  within python3 - "$HELPER" "${1:-0 3 6 7 10 12 13 21 23 24 27 28}" <<'EOF'
import os, struct, sys
# What this root himself may not have, as in a container, no program of his has.
bound = int(next(l for l in open("/proc/self/status") if l.startswith("CapBnd")).split()[1], 16)
bits = sum(1 << int(n) for n in sys.argv[2].split()) & bound
os.setxattr(sys.argv[1], "security.capability", struct.pack("<IIIII", 0x02000001, bits, 0, 0, 0))
EOF
}

# bats test_tags=once
@test "with capabilities of its own: for its group alone, on behalf of whoever starts it, whatever it is given" {
  with_capabilities
  refused "$(ask_helper --as 1000 <<<'{"do":"limits"}')" 'not started: Permission denied'
  refused "$(ask_helper --as 1000 2000 <<<'{"do":"limits"}')" '"requests": 128'
  # It makes what root makes, and for the one who asks: not for whom sudo would tell.
  export SUDO_UID=0 SUDO_GID=0
  refused "$(ask_helper --as 1000 2000 <<<'{"do":"up","tag":"aaaa","subnet":"10.77.0.0/24"}')" '10.77.0.0/24'
  within ip link show bng-aaaa >/dev/null
  same "$(within cat /run/banger/aaaa.owner)" 1000
  refused "$(ask_helper --as 1001 2000 <<<'{"do":"down","tag":"aaaa"}')" 'belongs to another user'
  refused "$(ask_helper --as 1001 2000 <<<'{"do":"up","tag":"bbbb","subnet":"192.168.9.0/24"}')" "root's to take"
  refused "$(map cccc 1000 | ask_helper --as 1000 2000)" "$taken"
  refused "$(map cccc 1001 | ask_helper --as 1000 2000)" 'permission denied'
  # What it is started with is all bad: signals, a mask, limits, priorities, descriptors, a directory that went.
  # None of it is left, and its caller can neither stop it nor end it.
  within mkdir -m 777 /run/gone
  within python3 - "$HELPER" <<'EOF'
import os, resource, signal, socket, subprocess, sys
who = {"user": 1000, "group": 1000, "extra_groups": [2000]}
def spoil():
    os.umask(0o777)
    os.nice(19)
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    for s in range(1, 65):
        if s not in (signal.SIGKILL, signal.SIGSTOP, 32, 33):
            signal.signal(s, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, range(1, 65))
    signal.setitimer(signal.ITIMER_REAL, 3)
    for limit, most in (resource.RLIMIT_NOFILE, 32), (resource.RLIMIT_CPU, 5):
        resource.setrlimit(limit, (most, most))
    for n in range(10, 20):
        os.dup2(0, n)
def start(**more):
    ours, theirs = socket.socketpair()
    child = subprocess.Popen([sys.argv[1]], stdin=theirs, stdout=theirs, close_fds=False, cwd="/run/gone",
                             env={"PATH": "/run/none", "SUDO_UID": "0", **more}, preexec_fn=spoil, **who)
    theirs.close()
    return child, ours
wide = os.sched_getaffinity(0)
helper, ours = start()
proc = f"/proc/{helper.pid}/"
def status():
    return dict(line.rstrip("\n").split(":\t", 1) for line in open(proc + "status") if ":\t" in line)
while not os.path.exists("/run/banger/1000.user") or status()["Umask"] != "0022" or os.getsid(helper.pid) != helper.pid:
    assert helper.poll() is None
now = status()
assert now["Uid"].split() == ["0"] * 4 and now["Gid"].split() == ["0"] * 4 and not now["Groups"].strip(), now
assert int(now["SigBlk"], 16) == 0, now
for s in signal.SIGALRM, signal.SIGCHLD:
    assert not int(now["SigIgn"], 16) >> (s - 1) & 1, now
assert os.readlink(proc + "cwd") == "/"
assert os.sched_getaffinity(helper.pid) == wide and os.getpriority(os.PRIO_PROCESS, helper.pid) == 0
for name in "STOP", "KILL", "INT":
    done = subprocess.run(["kill", "-" + name, str(helper.pid)], stderr=subprocess.PIPE, **who)
    assert done.returncode != 0 and b"not permitted" in done.stderr, done
assert max(map(int, os.listdir(proc + "fd"))) < 10
ours.sendall(b'{"v":1,"do":"up","tag":"aaaa"}\n')
said = ours.recv(65536)
assert b"uplinks" in said, said
helper.wait()
# Nor do words that are for a build that is tested.
helper, ours = start(BANGER_FAILPOINT="sys.create#1:kill", BANGER_FAILPOINT_TRACE="/run/trace")
ours.sendall(b'{"v":1,"do":"up","tag":"aaaa"}\n')
assert b"uplinks" in ours.recv(65536)
assert not os.path.exists("/run/trace")
EOF
  same "$(within stat -c '%a %u' /run/banger/aaaa.bridge)" '600 0'
  # With less than it needs it does nothing.
  with_capabilities '12 21'
  refused "$(ask_helper --as 1000 2000 <<<'{"do":"limits"}')" 'no answer'
}

# bats test_tags=once
@test "a record that is garbage, a part of one, or another's is named, and makes nothing anybody's" {
  # ask UID VERB [TAG]
  ask() { ask_helper "$1" <<<"{\"do\":\"$2\",\"tag\":\"${3:-aaaa}\",\"vm\":\"$vm\",\"identity\":\"banger-${3:-aaaa}-$vm-root-x\"}"; }
  put() { within bash -c 'printf "%b" "$1" >"/run/banger/$2"' - "$@"; }
  refused "$(ask 1000 up)" '"uplinks"'
  was=$(within cat /run/banger/aaaa.bridge)
  # Whose the tag is.
  for text in '' 1000 '100' '100\n1' garbage '-1\n' '99999999999\n' '1000\n1000\n'; do
    put "$text" aaaa.owner
    for who in '1000 up' '1000 look' '100 up' '100 unmap' '1001 mend'; do
      # shellcheck disable=SC2086 # two words
      refused "$(ask $who)" "failed: the record '/run/banger/aaaa.owner' cannot be read: it does not say whose the tag is"
    done
  done
  refused "$(ask 0 up)" "the record '/run/banger/aaaa.owner' cannot be read"
  refused "$(ask 0 look)" '"faults": []' # root may have each
  refused "$(ask 1001 up cccc)" '"uplinks"'
  put '1000\n' aaaa.owner
  refused "$(ask 1001 up)" 'belongs to another user'
  refused "$(ask 1000 look)" '"faults": []'
  # What is made, of either kind.
  for text in '' garbage '[]' '{"v":1}' "${was:0:40}" "${was//aaaa/bbbb}" "${was/\"uid\":1000/\"uid\":\"x\"}"; do
    put "$text" aaaa.bridge
    for uid in 1000 0; do refused "$(ask $uid look)" "failed: the record '/run/banger/aaaa.bridge' cannot be read"; done
    refused "$(ask 1001 look cccc)" '"faults": []'
  done
  put "$was" aaaa.bridge
  refused "$(ask 1000 unmap)" ok
  for text in '' garbage '[]' '{"v":1}' '{"v":1,"disks":[{"uid":1000}]}'; do
    put "$text" aaaa.disks
    refused "$(ask 1000 unmap)" "failed: the record '/run/banger/aaaa.disks' cannot be read"
    refused "$(ask 1000 look)" '"faults": []'
  done
  # What another than root may have written.
  for kind in bridge disks owner; do
    verb=look
    [ $kind != disks ] || verb=unmap
    for how in 'echo 1000 >$1; chown 1000 $1' 'chown 0 $1; chmod 622 $1' 'mv $1 /run/1000/moved; ln -s /run/1000/moved $1' 'rm $1; mkdir $1'; do
      within bash -ec "$how" - /run/banger/bbbb.$kind
      refused "$(ask 1000 $verb bbbb)" "failed: the record '/run/banger/bbbb.$kind' cannot be read: it is no file of root's own"
    done
    within rm -r /run/banger/bbbb.$kind
  done
}

# bats test_tags=once
@test "the word that rules were changed tells its user nothing else, and lets him do nothing" {
  refused "$(ask_helper 1000 <<<'{"do":"up","tag":"aaaa"}')" '"uplinks"'
  refused "$(ask_helper 1001 <<<'{"do":"changes","tag":"aaaa"}')" 'belongs to another user'
  refused "$(ask_helper 1001 <<<'{"do":"changes","tag":"bbbb"}')" 'is down'
  within python3 - <<'EOF'
import array, ctypes, errno, os, select, socket, struct, subprocess
program = os.environ["BANGER_BUILD"] + "/libexec/banger/banger-helper"
def ask(verb):
    ours, theirs = socket.socketpair()
    child = subprocess.Popen([program], stdin=theirs, stdout=theirs, env={**os.environ, "SUDO_UID": "1000"})
    theirs.close()
    ours.sendall(b'{"v":1,"do":"%s","tag":"aaaa"}\n' % verb)
    said, given, _, _ = ours.recvmsg(65536, socket.CMSG_SPACE(4))
    child.wait()
    return said, given
def listener():
    return socket.socket(fileno=array.array("i", ask(b"changes")[1][0][2])[0])
def heard(wait, by=None):
    return (by or word).recv(65536) if select.select([by or word], [], [], wait)[0] else None
def is_end(said):  # of a change (NFT_MSG_NEWGEN), and all of it
    length, kind = struct.unpack_from("=IH", said)
    return kind == 10 << 8 | 15 and length == len(said) and length > 40
first = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)  # somebody's own, who was there before
first.bind((0, 0))
first.setsockopt(270, 1, 7)
word, another = listener(), listener()
def nft(*words):
    subprocess.run(["nft", *words], check=True)
pid = os.fork()
if pid == 0:
    os.setgroups([])
    os.setresgid(1000, 1000, 1000)
    os.setresuid(1000, 1000, 1000)
    netlink, join, lock, detach, attach = 270, 1, 44, 27, 26
    everything = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, 65535))
    wants = [(netlink, join, group) for group in (1, 5, 8, 9)]  # of connections, and what is traced
    wants += [(socket.SOL_SOCKET, lock, 0), (socket.SOL_SOCKET, detach, 0),
              (socket.SOL_SOCKET, attach, struct.pack("HxxxxxxP", 1, ctypes.addressof(everything)))]
    for want in wants:
        try:
            word.setsockopt(*want)
        except PermissionError:
            continue
        raise AssertionError(want)
    # All rules are asked for (NFT_MSG_GETRULE, a dump): what comes is none.
    word.send(struct.pack("=IHHIIBBH", 20, 10 << 8 | 7, 0x301, 1, 0, 0, 0, 0))
    while (said := heard(1)) is not None:
        assert is_end(said), said
    os._exit(0)
assert os.waitpid(pid, 0)[1] == 0
# The changes of others are told, and the helper's are not.
assert heard(0) is None
while heard(0, first) or heard(0, another):
    pass
nft("add", "table", "inet", "others")
assert is_end(heard(10)) and heard(0) is None
# Nobody's hearing takes from another's.
assert is_end(heard(10, another)) and heard(0, another) is None
told = []
while not told or not is_end(told[-1]):
    told.append(heard(10, first))
    assert told[-1], told
assert b"uplinks" in ask(b"up")[0]  # which makes all rules anew
assert heard(0) is None
nft("flush", "ruleset")
assert is_end(heard(10)) and heard(0) is None
assert b"are missing" in ask(b"mend")[0]
assert b'"mended":[]' in ask(b"mend")[0]
assert heard(0) is None
EOF
}

# bats test_tags=once
@test "root says who may have how much; what is said wrongly, or by another, grants nothing" {
  says() { cat >"$root/etc/banger/helper.toml"; }
  up() { ask_helper "$1" <<<"{\"do\":\"up\",\"tag\":\"$2\"}"; }
  says <<'EOF'
[who]
users = ["1000"]
groups = ["nogroup"]
[net]
bridges = 1
subnets = ["172.20.0.0/16"]
EOF
  refused "$(up 1000 aaaa)" '"172.20.'
  refused "$(up 1000 bbbb)" 'this user has 1 already'
  refused "$(up 1001 cccc)" "may not use banger's helper"
  refused "$(up 65534 cccc)" '"172.20.' # nobody, of nogroup
  refused "$(up 0 dddd)" '"172.20.'
  refused "$(ask_helper 1000 <<<'{"do":"up","tag":"aaaa","subnet":"10.77.0.0/24"}')" "root's to take"
  says <<<$'[net]\nbridges = two'
  for uid in 0 1000; do refused "$(up $uid aaaa)" "preflight: /etc/banger/helper.toml:2: "; done
  says <<<$'[net]\n\nbridge = 2'
  refused "$(up 1000 aaaa)" "/etc/banger/helper.toml:3: 'net.bridge': there is no such key"
  says <<<$'[net]\nbridges = 2\nsubnets = ["172.20.0.0/16"]'
  refused "$(up 1000 bbbb)" '"uplinks"'
  # Whoever could have changed the file could have all.
  for wrong in 'chmod 666 helper.toml' 'chown 1000 helper.toml' 'chmod 777 .' 'chown 1000 .'; do
    (cd "$root/etc/banger" && $wrong)
    refused "$(up 1000 aaaa)" "is not trusted: another than root may change '/etc/banger"
    chown -R 0 "$root/etc/banger"
    chmod 755 "$root/etc/banger"
    chmod 644 "$root/etc/banger/helper.toml"
  done
  refused "$(up 1000 aaaa)" '"uplinks"'
  within mv /etc/banger/helper.toml /run/1000/
  within chown 1000 /run/1000/helper.toml
  ln -s /run/1000/helper.toml "$root/etc/banger/helper.toml"
  refused "$(up 1000 aaaa)" 'is not trusted'
}

# bats test_tags=once
@test "a thousand requests of one user at once: so many wait, the rest is refused, and others are served" {
  printf '[who]\nrequests = 20\n' >"$root/etc/banger/helper.toml"
  within python3 - 3>&3 <<'EOF'
import json, os, resource, select, socket, subprocess, time
program = os.environ["BANGER_BUILD"] + "/libexec/banger/banger-helper"
resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
def start(uid):
    ours, theirs = socket.socketpair()
    child = subprocess.Popen([program], stdin=theirs, stdout=theirs, env={**os.environ, "SUDO_UID": str(uid)})
    theirs.close()
    return child, ours
def answer(ours):
    return json.loads(ours.makefile().readline())
def ask(uid, request):
    child, ours = start(uid)
    ours.sendall((json.dumps({"v": 1, **request}) + "\n").encode())
    said = answer(ours)
    child.wait()
    return said
assert "subnet" in ask(1000, {"do": "up", "tag": "aaaa"})
# None of them says what it wants: those that may wait do, the others are gone at once.
waiting, most, refused, silent = {}, 0, 0, 0
for n in range(1000):
    child, ours = start(1000)
    waiting[ours] = child
    while len(waiting) > 20:
        # One too many is told so before the first one's silence, of 10 s, is over.
        ready, _, _ = select.select(list(waiting), [], [], 30 if refused else 9)
        assert ready, f"{len(waiting)} wait"
        for s in ready:
            said = answer(s)["error"]["message"]
            if "20 requests at work already" in said:
                refused += 1
            else:
                assert "no request" in said, said
                silent += 1
            waiting.pop(s).wait()
    if n == 500:
        began = time.monotonic()
        assert "subnet" in ask(1001, {"do": "up", "tag": "bbbb"})
        served = time.monotonic() - began
assert refused > 100, refused
memory = max(int(l.split()[1]) for c in waiting.values() if c.poll() is None
             for l in open(f"/proc/{c.pid}/smaps_rollup") if l.startswith("Private_Dirty"))
assert memory < 8192, memory
os.write(3, f"# {refused} refused, {silent} silent for too long; {memory} KiB each; another user was served in {served:.2f} s\n".encode())
for s, child in waiting.items():
    s.close()
    child.wait()
# Those who work stand in one line, and all get there.
many = [start(1000) for _ in range(20)]
for child, ours in many:
    ours.sendall(b'{"v":1,"do":"look","tag":"aaaa"}\n')
for child, ours in many:
    assert answer(ours)["up"]
    child.wait()
EOF
}

# bats test_tags=once
@test "it leaves its caller's control group, which he might freeze while others wait" {
  [ -e /sys/fs/cgroup/cgroup.procs ] || [ -e /sys/fs/cgroup/unified/cgroup.procs ] || skip 'no control groups of version 2'
  within python3 - <<'EOF'
import os, socket, subprocess
program = os.environ["BANGER_BUILD"] + "/libexec/banger/banger-helper"
top = next((t for t in ("/sys/fs/cgroup", "/sys/fs/cgroup/unified") if os.path.exists(t + "/cgroup.procs")))
group = f"{top}/banger-test-{os.getpid()}"
os.mkdir(group)
try:
    def enter():
        with open(group + "/cgroup.procs", "w") as procs:
            procs.write("0")
    ours, theirs = socket.socketpair()
    child = subprocess.Popen([program], stdin=theirs, stdout=theirs, preexec_fn=enter, env={**os.environ, "SUDO_UID": "1000"})
    theirs.close()
    while not os.path.exists("/run/banger/1000.user"):
        assert child.poll() is None
    with open(group + "/cgroup.freeze", "w") as freeze:
        freeze.write("1")
    ours.settimeout(20)
    ours.sendall(b'{"v":1,"do":"limits"}\n')
    assert b"requests" in ours.recv(65536)
finally:
    with open(group + "/cgroup.freeze", "w") as freeze:
        freeze.write("0")
    child.kill()
    child.wait()
    os.rmdir(group)
EOF
}
