#!/usr/bin/env bats
# The default guest: Debian with systemd and OpenSSH.
load ../lib
load vm

setup() {
  vm_root
  banger bundle show --json | holds '.parts[] | select(.name == "root-debian")' ||
    skip 'the bundle has no Debian root'
}

@test "it boots, apt knows its packages, nothing failed, and a gentle stop is enough" {
  expect 0 banger vm run deb --accel tcg --timeout 2m -- cat /etc/os-release
  outputs 'NAME="Debian GNU/Linux"'
  expect 0 banger ssh deb -- hostname
  same "$output" deb
  expect 0 banger ssh deb -- dpkg --audit
  same "$output" ''
  expect 0 banger ssh deb -- apt-get check
  # The probe of its network by its own tools: bash, for it has neither nc nor nslookup.
  expect 127 banger ssh deb -- sh -c 'command -v nc || command -v nslookup'
  banger net probe --json deb >probe || [ $? = 1 ]
  same "$(jq -rs 'map(select(.test | IN("guest", "link", "address", "route", "name")) | .outcome) | unique | join(" ")' probe)" ok
  for program in sudo rsync ip; do expect 0 banger ssh deb -- sh -c "command -v $program"; done
  expect 0 banger ssh deb -- test -s /etc/ssl/certs/ca-certificates.crt
  expect 0 banger ssh deb -- systemctl --failed --plain --no-legend
  same "$output" ''

  # Copies that tiny guests cannot show: holes and nanoseconds by GNU tar, rsync.
  mkdir -p tree/sub
  echo a >tree/sub/a
  touch -d '2020-01-02 03:04:05.123456789' tree/sub/a
  truncate -s 200M tree/sparse
  printf end | dd of=tree/sparse bs=1 seek=100000000 conv=notrunc status=none
  expect 0 banger ssh cp -r tree deb:
  expect 0 banger ssh deb -- 'stat -c %y tree/sub/a; rm tree/sub/a; test "$(du -k tree/sparse | cut -f1)" -lt 1000'
  [[ $output == *'05.123456789'* ]]
  if command -v rsync >/dev/null; then
    expect 0 banger ssh sync tree deb:tree
  else
    expect 0 banger ssh cp tree/sub/a deb:tree/sub
  fi
  expect 0 banger ssh cp -r deb:tree back
  diff -r tree back
  [ "$(du -k back/sparse | cut -f1)" -lt 1000 ]

  expect 0 banger vm stop --timeout 60s deb
  same "$(vm_field deb .state)" stopped
  same "$(vm_field deb .reason)" null
}
