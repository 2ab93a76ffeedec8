#!/usr/bin/env bats
# banger vm snapshot: a guest's memory and disks kept, and gone back to.
load ../lib
load vm

setup() { vm_root; }
teardown() { remove_vms; }

guest() { banger ssh x -- "$@"; }
snapshots() { banger vm snapshot list -q x | xargs; }

# A file of a snapshot: saved VM SNAPSHOT FILE
saved() {
  echo "$(banger vm snapshot list --json "$1" | jq -r "select(.name == \"$2\").path")/$3"
}

# A program of the guest that counts, in its memory alone, and tells how far it is in /tmp/n.
count() {
  guest 'echo 0 >/tmp/n; (n=0; while :; do n=$((n + 1)); echo $n >/tmp/n; sleep 0.1; done) >/dev/null 2>&1 &'
}

@test "memory, programs, disks and clock are what they were, on a network with others; then it is a VM as before" {
  expect 0 banger vm create $tiny --net user --work-disk 32M x
  expect 0 banger vm run $tiny --net user y
  expect 0 banger vm start x
  count
  guest 'echo root >/etc/mark; echo work >/root/mark; date -s "2 hours ago" >/dev/null 2>&1 || date -s "@$(($(date +%s) - 7200))" >/dev/null'
  expect 0 banger vm snapshot create --json x before
  schema snapshot
  same "$(field '[.vm, .name, .memory, .vmm.driver, .fault] | map(tostring) | join(" ")')" 'x before 134217728 qemu null'
  local then_n
  then_n=$(guest cat /tmp/n)
  # It went on, and its clock was set.
  await 10 right_time x
  in_state x running
  guest 'echo other >/etc/mark; echo other >/root/mark; rm -rf /usr/bin; sync'
  expect 4 banger vm snapshot restore x before
  errors "cannot restore 'x': it is running"
  expect 0 banger vm kill x
  expect 0 banger vm snapshot restore x before
  same "$output" 'x: running'
  right_time x
  same "$(guest cat /etc/mark /root/mark | xargs)" 'root work'
  # The program goes on counting where it was, not from the beginning.
  local n
  n=$(guest cat /tmp/n)
  [ "$n" -gt 0 ]
  [ "$n" -lt $((then_n + 600)) ]
  further() { [ "$(guest cat /tmp/n)" -gt "$n" ]; }
  await 10 further
  expect 0 guest ping -c 1 -W 10 y
  expect 0 banger ssh y -- ping -c 1 -W 10 x.vm
  same "$(banger vm events --json x | jq -r 'select(.type | test("snapshot|restored")) | [.type, .detail.snapshot] | join(" ")')" \
    "$(printf 'vm.snapshot before\nvm.restored before')"
  # A reboot of its own boots it, and so does a start.
  local boot
  boot=$(guest cat /proc/sys/kernel/random/boot_id)
  guest reboot || true
  await 60 booted_again x "$boot"
  expect 0 banger vm stop x
  expect 0 banger vm start x
  same "$(guest cat /etc/mark)" root
  expect 0 banger vm rm --force x y
  nothing_left
}

# bats test_tags=once
@test "several, of which any can be gone back to; names, numbers, and what is refused" {
  local verb
  expect 0 banger vm run $tiny x
  guest 'echo 1 >/tmp/mark'
  expect 0 banger vm snapshot create x
  [[ $output == 'x: snapshot1, '*'M; it stood still for '* ]]
  guest 'echo 2 >/tmp/mark'
  expect 0 banger vm snapshot create -q x
  same "$output" snapshot2
  expect 0 banger vm snapshot create x a-name
  same "$(snapshots)" 'snapshot1 snapshot2 a-name'
  for verb in restore rm; do
    expect 0 banger vm __complete snapshot $verb x s
    same "$(xargs <<<"$output")" 'snapshot1 snapshot2'
  done
  expect 0 banger vm __complete snapshot create x ''
  same "$output" '' # a new name
  expect 4 banger vm snapshot create x a-name
  errors "'x' has a snapshot 'a-name' already"
  errors 'hint: take another name; banger vm snapshot rm x a-name removes that snapshot, which cannot be brought back'
  expect 2 banger vm snapshot create x 'a name'
  expect 3 banger vm snapshot create y
  # A number that is large, or none.
  expect 0 banger vm snapshot create x snapshot2147483647
  expect 0 banger vm snapshot create -q x
  same "$output" snapshot2147483648
  expect 0 banger vm snapshot rm x snapshot2147483647 snapshot2147483648
  expect 0 banger vm snapshot list
  [ "$(awk 'length > 80' <<<"$output" | wc -l)" -eq 0 ]
  same "$(awk '{ print $1, $2 }' <<<"$output" | xargs)" 'VM SNAPSHOT x snapshot1 x snapshot2 x a-name'
  expect 0 banger vm snapshot list --json x
  schema snapshot
  expect 3 banger vm snapshot list y
  expect 0 banger vm stop x
  expect 4 banger vm snapshot create x
  errors "cannot snapshot 'x': it is stopped"
  expect 0 banger vm start --no-wait x
  expect 4 banger vm snapshot create x
  errors "cannot snapshot 'x': it is starting"
  errors 'hint: banger vm wait x waits until it answers'
  expect 0 banger vm kill x
  expect 3 banger vm snapshot restore x snapshot9
  errors "cannot restore: 'x' has no snapshot 'snapshot9'"
  # While that is done none can be removed.
  banger vm snapshot restore x snapshot2 &
  restores=$!
  is_begun() { [ -n "$(monitor_of x)" ]; }
  await 30 is_begun
  kill -STOP "$(monitor_of x)"
  expect 4 banger vm snapshot rm x snapshot2
  errors "cannot remove 'snapshot2' of 'x': a snapshot of it is being restored"
  kill -CONT "$(monitor_of x)"
  wait "$restores"
  same "$(guest cat /tmp/mark)" 2
  # It takes up a snapshot's own cpus and memory, whatever the VM has had since.
  expect 0 banger vm kill x
  expect 0 banger vm set x --memory 160M --cpus 2
  expect 0 banger vm snapshot restore --json x snapshot1
  schema result
  same "$(field '[.verb, .name, .state, .changed] | map(tostring) | join(" ")')" 'restore x running true'
  same "$(guest cat /tmp/mark)" 1
  same "$(vm_field x '[.cpus, .memory] | join(" ")')" '1 134217728'
  # While it runs from one, that can be removed.
  expect 0 banger vm snapshot rm x snapshot1 snapshot2
  same "$output" "$(printf 'snapshot1: removed\nsnapshot2: removed')"
  same "$(guest cat /tmp/mark)" 1
  expect 3 banger vm snapshot rm x snapshot1
  same "$(snapshots)" a-name
  same "$(ls "$(dirname "$(saved x a-name .)")/.." | wc -l)" 1
  expect 0 banger vm rm --force x
  nothing_left
}

# bats test_tags=once
@test "one that is paused on request stays so; one that is not asked for is not made" {
  expect 0 banger vm run $tiny x
  guest 'echo 1 >/tmp/mark'
  expect 0 banger vm pause x
  expect 0 banger vm snapshot create x s
  same "$(vm_field x '[.state, .reason] | join(" ")')" 'paused on request'
  # QEMU cannot save it twice.
  expect 4 banger vm snapshot create x t
  errors "cannot snapshot 'x': QEMU saves a guest that stands still only once"
  errors 'hint: have it go on first: banger vm resume'
  same "$(vm_field x '[.state, .reason] | join(" ")')" 'paused on request'
  expect 0 banger vm resume x
  same "$(guest cat /tmp/mark)" 1
  expect 0 banger vm kill x
  expect 0 banger vm snapshot restore x s
  in_state x running
  same "$(guest cat /tmp/mark)" 1
}

# bats test_tags=once
@test "a snapshot that is damaged, or whose address is taken, is refused, and nothing is changed" {
  expect 0 banger vm run $tiny --net user x
  expect 0 banger vm snapshot create x s
  guest 'echo kept >/etc/mark; sync'
  expect 0 banger vm stop x
  local file keep=$root/keep
  refused() { # refused STATUS WHY
    expect "$1" banger vm snapshot restore x s
    errors "cannot restore 'x'"
    errors "$2"
    same "$(vm_field x .state)" stopped
  }
  # It is none without its disks, whatever the manifest says; nor is the list without a manifest.
  file=$(saved x s manifest.json)
  cp "$file" "$keep"
  jq '.files |= map(select(.name != "upper.img"))' "$keep" >"$file"
  refused 1 "has no 'upper.img'"
  jq '.files[0] = {}' "$keep" >"$file"
  refused 1 damaged
  expect 0 banger vm snapshot list x
  outputs damaged
  cp "$keep" "$file"
  # Nor where it may not be read.
  local plain=()
  [ "$(id -u)" -ne 0 ] || plain=(setpriv '--bounding-set=-dac_override,-dac_read_search' --inh-caps=-all --)
  chmod 000 "${file%/*}"
  expect 0 "${plain[@]}" banger vm snapshot list --json x
  chmod 700 "${file%/*}"
  schema snapshot
  field .fault | grep -q 'permission denied'
  for file in memory upper.img manifest.json; do
    file=$(saved x s "$file")
    cp "$file" "$keep"
    printf 'x' | dd of="$file" bs=1 seek=300 conv=notrunc status=none
    refused 1 damaged
    truncate -s 200 "$file"
    refused 1 damaged
    rm "$file"
    refused 1 "'$(dirname "$file")"
    cp "$keep" "$file"
  done
  # Without its image it could not run, and the disks of now would be lost.
  file=$(banger image show --json "$(vm_field x .image.name)" | jq -r .paths.root)
  mv "$file" "$keep"
  refused 1 "'$file'"
  mv "$keep" "$file"
  # It gets its address back, unless another VM has it.
  local address
  address=$(vm_field x .net.address)
  expect 0 banger vm set x --net isolated
  expect 0 banger vm create $tiny --net user --ip "$address" y
  refused 4 "$address is the address of 'y'"
  expect 0 banger vm start x
  same "$(guest cat /etc/mark)" kept
  # Its image stays as long as a snapshot stands on it.
  local old
  old=$(vm_field x .image.name)
  expect 0 banger vm stop x
  banger image show --json "$old" | jq -r .paths.root | xargs -I{} cp {} "$root/other.ext4"
  expect 0 banger image import other "$root/other.ext4"
  expect 0 banger vm reset x --image other
  expect 0 banger vm rm y
  expect 4 banger image rm "$old"
  errors "cannot remove image '$old': snapshots of x stand on it"
  expect 0 banger image prune
  expect 0 banger vm snapshot restore x s
  same "$(vm_field x '[.image.name, .net.mode, .net.address] | join(" ")')" "$old user $address"
  expect 1 guest cat /etc/mark
  expect 0 guest ip addr
  outputs "$address"
}

# bats test_tags=once
@test "it is bound to no path: restored in a copy of the state that lies elsewhere" {
  expect 0 banger vm run $tiny --net isolated x
  guest 'echo here >/tmp/mark'
  expect 0 banger vm snapshot create x s
  guest 'echo later >/tmp/mark'
  expect 0 banger vm kill x
  mkdir "$root/deeper"
  cp -a "$BANGER_STATE_DIR" "$root/deeper/state"
  rm -rf "$BANGER_STATE_DIR/vms"
  export BANGER_STATE_DIR=$root/deeper/state
  expect 0 banger vm snapshot restore x s
  same "$(guest cat /tmp/mark)" here
  same "$(guest 'echo new >/etc/mark; sync; cat /etc/mark')" new
}
