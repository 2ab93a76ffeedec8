#!/usr/bin/env bats
# This host's resolver told of the daemon: in a mount namespace with an /etc of its own, where
# `service` and `systemctl` are the test's. The resolver is a real dnsmasq at an address of the test's.
load ../lib

test_vm="$BANGER_BUILD/tests/banger-test-vm"

setup() {
  private_root
  pids=()
  [ "$(id -u)" = 0 ] || skip 'only root has port 53'
  at=127.$((RANDOM % 200 + 20)).$((RANDOM % 250)).1
  port=$((20000 + $$ % 12000))
  export BANGER_DNS_LISTEN=$at:$port
  cp -a /etc "$root/etc"
  # This machine's own resolver does not matter.
  rm -rf "$root/etc/resolv.conf" "$root/etc/dnsmasq.d" "$root/etc/NetworkManager" "$root/etc/systemd"
  printf 'nameserver %s\noptions timeout:5 attempts:2\n' "$at" >"$root/etc/resolv.conf"
  echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
  mkdir -p "$root/etc/dnsmasq.d" "$root/etc/systemd/system" "$root/fake"
  cat >"$root/etc/dnsmasq.conf" <<END
conf-dir=$root/etc/dnsmasq.d,*.conf
listen-address=$at
bind-interfaces
no-resolv
no-hosts
server=${at%1}9#$port
user=root
pid-file=$root/dnsmasq.pid
END
  cat >"$root/fake/service" <<END
#!/bin/sh
echo "\${0##*/} \$*" >>"$root/calls"
[ ! -e "$root/broken" ] || exit 0
case "\$*" in *dnsmasq*) ;; *) exit 0 ;; esac
# It removes that file first, and has its port until it has gone.
if read -r old <"$root/dnsmasq.pid" && kill "\$old"; then
  while kill -0 "\$old"; do sleep 0.02; done
fi 2>/dev/null
exec dnsmasq -C "$root/etc/dnsmasq.conf"
END
  chmod +x "$root/fake/service"
  ln -s service "$root/fake/systemctl"
  ln -s service "$root/fake/nmcli"
  export PATH=$root/fake:$PATH
}
teardown() {
  [ ! -e "$root/dnsmasq.pid" ] || end "$(cat "$root/dnsmasq.pid")"
  end "${pids[@]}"
  remove_private_root
}

# here CMD...: on a host with that /etc
here() {
  # shellcheck disable=SC2016 # for the inner shell
  unshare --mount sh -c 'mount --bind "$0" /etc && exec "$@"' "$root/etc" "$@"
}
with_dnsmasq() {
  command -v dnsmasq >/dev/null || skip 'no dnsmasq'
  # Where all other names are asked for: each is written down, and is 192.0.2.1.
  python3 - "${at%1}9" "$port" "$root/asked" >"$root/upstream" <<'PY' 3>&- &
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[1], int(sys.argv[2])))
print("bound", flush=True)
with open(sys.argv[3], "a", buffering=1) as asked:
    while True:
        packet, who = s.recvfrom(1500)
        end = packet.index(b"\0", 12) + 5
        asked.write(repr(packet[12:end - 5]) + "\n")
        is_a = packet[end - 3] == 1
        answer = b"\xc0\x0c\0\1\0\1\0\0\0\0\0\4\xc0\0\2\1" if is_a else b""
        s.sendto(packet[:2] + b"\x81\x80\0\1" + bytes([0, int(is_a), 0, 0, 0, 0]) + packet[12:end] + answer, who)
PY
  pids+=($!)
  await 10 grep -q bound "$root/upstream"
  expect 0 here service dnsmasq start
  rm "$root/calls"
}
as_it_was() { diff -r --no-dereference "$root/before" "$root/etc"; }
running_vm() {
  reach=$("$test_vm" "$BANGER_STATE_DIR" add "$1")
  sleep 600 3>&- &
  pids+=($!)
  "$test_vm" "$BANGER_STATE_DIR" live "$1" running $!
}
# comm NAME: a process that is called so
comm() {
  python3 -c '
import sys, time
open("/proc/self/comm", "w").write(sys.argv[1])
print("called", flush=True)
time.sleep(600)' "$1" >"$root/called" 3>&- &
  pids+=($!)
  await 10 grep -q called "$root/called"
}

@test "dnsmasq is told, asks us for our names and nobody else's, and is as it was after uninstall" {
  with_dnsmasq
  cp -a "$root/etc" "$root/before"
  expect 0 here banger dns install --dry-run
  outputs "server=/vm/$at#$port"
  outputs "$root/etc/dnsmasq.d/banger.conf"
  outputs 'dnsmasq'
  expect 0 here banger dns install --dry-run --json
  schema resolver
  as_it_was
  # No daemon serves yet: install listens itself, to prove the way.
  expect 0 here banger dns install
  outputs "dns: dnsmasq asks $at:$port for .vm"
  errors "writes $root/etc/dnsmasq.d/banger.conf"
  errors 'dnsmasq restart'
  expect 1 as_it_was
  running_vm demo
  expect 0 banger dns start
  expect 0 here getent hosts demo.vm
  same "$(awk '{ print $1 }' <<<"$output")" "$reach"
  expect 0 here getent ahostsv4 www.demo.vm
  expect 2 here getent hosts nobody.vm
  expect 0 here banger doctor --json || true
  same "$(jq -r 'select(.id == "names") | .status' <<<"$output")" ok
  # Foreign questions: zero.
  local i before after
  grep -c vm "$root/asked" >"$root/ours" || true
  same "$(cat "$root/ours")" 0
  before=$(banger dns status --json 2>/dev/null | jq .queries)
  for i in $(seq 30); do expect 0 here getent ahostsv4 "host-$i.example.org"; done
  expect 0 here getent ahostsv4 vm.example.org
  after=$(banger dns status --json 2>/dev/null | jq .queries)
  same "$before" "$after"
  [ "$(grep -c example "$root/asked")" -ge 31 ]
  # Once more, and away.
  expect 0 here banger dns install --json
  schema result
  same "$(field .changed)" false
  expect 0 here banger dns uninstall --json
  same "$(field '[.changed, .state] | map(tostring) | join(" ")')" 'true absent'
  as_it_was
  expect 0 here getent hosts host-1.example.org
  expect 0 here getent ahostsv4 demo.vm # by those who are asked for all else
  outputs '192.0.2.1'
  expect 0 here banger dns uninstall --json
  same "$(field .changed)" false
}

@test "what cannot be proved is taken back" {
  with_dnsmasq
  cp -a "$root/etc" "$root/before"
  touch "$root/broken"
  expect 1 here banger dns install
  errors "this host's resolver does not ask $at:$port for .vm"
  errors 'taken back'
  errors "removes $root/etc/dnsmasq.d/banger.conf"
  as_it_was
  rm "$root/broken"
  # A file that somebody else wrote is his.
  echo 'server=/vm/192.0.2.7' >"$root/etc/dnsmasq.d/banger.conf"
  expect 4 here banger dns install
  errors "'$root/etc/dnsmasq.d/banger.conf' is there, and not banger's"
  expect 0 here banger dns uninstall
  same "$(cat "$root/etc/dnsmasq.d/banger.conf")" 'server=/vm/192.0.2.7'
  rm "$root/etc/dnsmasq.d/banger.conf"
  # Nor is a port that somebody has a proof of anything.
  python3 -c '
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[1], int(sys.argv[2])))
print("bound", flush=True)
time.sleep(600)' "$at" "$port" >"$root/bound" 3>&- &
  pids+=($!)
  await 10 grep -q bound "$root/bound"
  expect 4 here banger dns install
  errors "$at:$port belongs to python3"
  as_it_was
}

@test "systemd-resolved: a delegate, or before that a link of its own" {
  echo 'hosts: files resolve dns' >"$root/etc/nsswitch.conf"
  comm systemd-resolve
  cp -a "$root/etc" "$root/before"
  printf '#!/bin/sh\necho "systemd 258 (258.1)"\n' >"$root/fake/resolvectl"
  chmod +x "$root/fake/resolvectl"
  expect 0 here banger dns install --dry-run
  outputs '# /etc/systemd/dns-delegate.d/banger.dns-delegate:'
  outputs "DNS=$at:$port"
  outputs 'Domains=~vm'
  outputs 'then: systemctl reload-or-restart systemd-resolved.service'
  printf '#!/bin/sh\necho "systemd 252 (252.38-1~deb12u1)"\n' >"$root/fake/resolvectl"
  expect 0 here banger dns install --dry-run --json
  schema resolver
  same "$(field '.files[].path')" /etc/systemd/system/banger-dns-link.service
  field '.files[].content' >"$root/banger-dns-link.service"
  if command -v systemd-analyze >/dev/null; then
    sed -i "s,resolvectl,$root/fake/resolvectl," "$root/banger-dns-link.service"
    expect 0 systemd-analyze verify --man=no "$root/banger-dns-link.service"
    same "$stderr" ''
  fi
  # It does not come to us: all is taken back, by the commands that it takes.
  expect 1 here banger dns install
  as_it_was
  same "$(cat "$root/calls")" "systemctl daemon-reload
systemctl enable --now banger-dns-link.service
systemctl disable --now banger-dns-link.service
systemctl daemon-reload"
}

@test "who cannot be told, and who may not" {
  printf 'nameserver 192.0.2.53\n' >"$root/etc/resolv.conf"
  cp -a "$root/etc" "$root/before"
  expect 5 here banger dns install --dry-run
  errors 'they ask 192.0.2.53 themselves (/etc/resolv.conf), for all names alike'
  expect 5 here banger dns install --json
  same "$(field .error.code)" preflight
  as_it_was
  with_dnsmasq
  printf 'nameserver %s\n' "$at" >"$root/etc/resolv.conf"
  cp "$root/etc/resolv.conf" "$root/before"
  # A program that others reach, as it is installed.
  chmod 755 "$root"
  mkdir "$root/bin"
  cp "$BANGER_BUILD/bin/banger-dns" "$root/bin"
  expect 5 here setpriv --reuid=65534 --clear-groups env -i PATH="$PATH" HOME=/nonexistent "$root/bin/banger-dns" uninstall
  errors "sudo $root/bin/banger-dns uninstall"
  expect 5 here setpriv --reuid=65534 --clear-groups env -i PATH="$PATH" HOME=/nonexistent "$root/bin/banger-dns" install
  errors "sudo $root/bin/banger-dns install"
  as_it_was
}
