#!/usr/bin/env bats
# The default guest: Debian with systemd and OpenSSH.
load ../lib
load vm

setup() {
  vm_root
  banger bundle show --json | jq -e '.parts[] | select(.name == "root-debian")' >/dev/null ||
    skip 'the bundle has no Debian root'
}
teardown() { remove_vms; }

@test "it boots, apt knows its packages, nothing failed, and a gentle stop is enough" {
  expect 0 banger vm run deb --accel tcg --timeout 2m -- cat /etc/os-release
  outputs 'NAME="Debian GNU/Linux"'
  expect 0 banger ssh deb -- hostname
  same "$output" deb
  expect 0 banger ssh deb -- dpkg --audit
  same "$output" ''
  expect 0 banger ssh deb -- apt-get check
  expect 0 banger ssh deb -- systemctl --failed --plain --no-legend
  same "$output" ''
  expect 0 banger vm stop --timeout 60s deb
  same "$(vm_field deb .state)" stopped
  same "$(vm_field deb .reason)" null
}
