#!/usr/bin/env bats
# The DNS daemon as a service of a real systemd: that of a Debian guest, in which our program and units
# are put as they would be installed.
load ../lib
load vm

setup() {
  vm_root
  banger bundle show --json | holds '.parts[] | select(.name == "root-debian")' ||
    skip 'the bundle has no Debian root'
  ! ldd "$BANGER_BUILD/bin/banger-dns" >/dev/null 2>&1 || skip 'banger-dns needs libraries'
}

in_guest() { expect 0 banger ssh deb -- "$@"; }
# A service that systemd starts for a question may take longer than that waits for its answer.
answers() {
  local told status=0
  told=$(banger ssh deb -- banger-dns resolve nobody 2>&1) || status=$?
  [ "$status" -eq 3 ] && [[ $told == *"no 'nobody.vm' at 127.0.0.1:42069"* ]]
}
is_up() { banger ssh deb -- systemctl is-active --quiet banger-dns.service; }

@test "the socket starts the service, which may write its state, and is there again after anything" {
  mkdir units
  cp "$BANGER_SOURCE/share/systemd/banger-dns.socket" units
  sed 's,@BINDIR@,/usr/local/bin,' "$BANGER_SOURCE/share/systemd/system/banger-dns.service" >units/banger-dns.service
  strip -o banger-dns "$BANGER_BUILD/bin/banger-dns"
  expect 0 banger vm run deb --accel tcg --timeout 2m
  in_guest mkdir -p /usr/local/lib/systemd/system
  expect 0 banger ssh cp units/banger-dns.socket units/banger-dns.service deb:/usr/local/lib/systemd/system
  expect 0 banger ssh cp banger-dns deb:/usr/local/bin
  in_guest systemctl daemon-reload
  in_guest systemctl enable --now banger-dns.socket
  expect 3 banger ssh deb -- systemctl is-active banger-dns.service
  # The first question.
  await 60 answers
  in_guest systemctl show -p ActiveState,SubState banger-dns.service
  outputs 'SubState=running'
  # It has made its state, with what SQLite needs beside the file, and nothing stands open.
  in_guest sh -c 'ls /var/lib/banger/state.db-wal /var/lib/banger/log/banger.jsonl && stat -c %a /var/lib/banger'
  outputs 700
  in_guest banger-dns status --json
  same "$(field '[.reads_state, .background] | map(tostring) | join(" ")')" 'true false'
  pid=$(field .pid)
  # No right beside its user's, and no place to write in but the state.
  in_guest sh -c "grep -E '^(CapEff|CapBnd|NoNewPrivs|Seccomp):' /proc/$pid/status | tr -d '\n\t 0'"
  same "$output" 'CapEff:CapBnd:NoNewPrivs:1Seccomp:2'
  # Killed, it is back.
  in_guest kill -KILL "$pid"
  await 60 answers
  await 10 is_up
  # A restart, by systemd or by hand, loses the port to nobody.
  in_guest systemctl restart banger-dns.service
  await 60 answers
  in_guest banger-dns start
  in_guest banger-dns status --json
  same "$(field .background)" false
  # After a boot of the host the port is there.
  expect 0 banger vm restart deb --timeout 2m
  await 60 answers
  in_guest systemctl --failed --plain --no-legend
  same "$output" ''
}
