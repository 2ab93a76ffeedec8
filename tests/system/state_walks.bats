#!/usr/bin/env bats
# Commands about images, the state file and what was left over, killed at each point that they pass:
# the next command tells the truth and cleans up, and what is half-made is never taken for whole.
load ../lib
load vm
load points

teardown() {
  end ${stray:-}
  remove_vms
}

# A root file system of three files, and the tarball of it.
make_source() {
  mkdir -p tree/sbin tree/etc
  printf '#!/bin/true\n' >tree/sbin/init
  chmod +x tree/sbin/init
  echo '/dev/sdb1 /data ext4 defaults 0 2' >tree/etc/fstab
  tar -C tree -cf t.tar .
}

# The images' directories are those that `list` names, and each of them is whole.
only_whole_images() {
  local dir
  same "$(ls "$BANGER_STATE_DIR/images" | sort)" "$(banger image list --json | jq -r .id | sort)"
  for dir in "$BANGER_STATE_DIR"/images/*/; do
    [ -e "$dir" ] || continue
    expect 0 e2fsck -fn "$dir/root.ext4"
    same "$(sha256sum <"$dir/root.ext4" | cut -d' ' -f1)" \
      "$(banger image show --json "$(basename "$dir")" | jq -r .sha256)"
    # The lock of an import that died after its commit may stay: the image is whole, and it goes with it.
    same "$(ls -I import.lock "$dir")" root.ext4
  done
  expect 0 banger doctor --leaks
}

# bats test_tags=once
@test "an import of a tarball killed at each point" {
  make_source
  fresh() { banger image rm t >/dev/null 2>&1 || true; }
  import() { banger image import t t.tar --size 16M; }
  import_fitting() { banger image import t t.tar; }
  after_import() {
    local had
    had=$(banger image list -q)
    # An image that is not listed cannot be used.
    [ -n "$had" ] || expect 3 banger vm create --image t --dry-run x
    expect 0 banger vm reconcile
    same "$(banger image list -q)" "$had"
    only_whole_images
    # The name is free, or taken by a whole image.
    if [ -z "$had" ]; then
      expect 0 banger image import t t.tar --size 16M
    else
      expect 4 banger image import t t.tar --size 16M
    fi
  }
  walk banger-image fresh import after_import 8
  # Without a size it is made large and cut to its content.
  only='sys.(spawn|truncate)' walk banger-image fresh import_fitting after_import 4
}

# Images that nobody needs, of next to nothing.
prepare_images() {
  local name
  for name in a b; do
    banger image show $name >/dev/null 2>&1 || banger image import $name t.tar --size 16M >/dev/null
  done
}
after_removal() {
  local had
  had=$(banger image list -q | xargs)
  expect 0 banger vm reconcile
  same "$(banger image list -q | xargs)" "$had"
  only_whole_images
}

# bats test_tags=once
@test "image rm and image prune killed at each point" {
  make_source
  remove() { banger image rm a; }
  prune() { banger image prune; }
  walk banger-image prepare_images remove after_removal 5
  walk banger-image prepare_images prune after_removal 6 ends
}

@test "ssh config --install killed at each point" {
  expect 0 "$BANGER_BUILD/tests/banger-bench" seed "$BANGER_STATE_DIR" 2
  config=$BANGER_STATE_DIR/ssh_config
  # In turn where there is an old file, and where there is none.
  prepare_config() {
    turn=$((turn + 1))
    if [ $((turn % 2)) = 0 ]; then rm -f "$config"; else echo '# old' >"$config"; fi
  }
  install_config() { banger ssh config --install; }
  whole_or_none() {
    [ ! -e "$config" ] || [ "$(cat "$config")" = '# old' ] || same "$(cat "$config")" "$(banger ssh config)"
    # A leftover of it is found, and the next one puts it in order.
    banger doctor --leaks -q >"$root/leaks" || grep -qx "$BANGER_STATE_DIR/.ssh_config.tmp" "$root/leaks"
    expect 0 banger ssh config --install
    same "$(cat "$config")" "$(banger ssh config)"
    same "$(stat -c %a "$config")" 600
    expect 0 banger doctor --leaks
  }
  turn=0
  walk banger-ssh prepare_config install_config whole_or_none 5
}

# bats test_tags=once
@test "doctor --backup killed at each point" {
  expect 0 "$BANGER_BUILD/tests/banger-bench" seed "$BANGER_STATE_DIR" 3
  none() { rm -f "$root/copy"; }
  backup() { banger doctor --backup "$root/copy"; }
  whole_or_none() {
    if [ -e "$root/copy" ]; then
      same "$(vms_of_copy)" "$(banger vm list -q)"
    else
      expect 0 banger doctor --backup "$root/copy"
    fi
    expect 4 banger doctor --backup "$root/copy"
    expect 0 banger doctor --leaks
  }
  vms_of_copy() {
    rm -rf "$root/other"
    mkdir -m 700 "$root/other"
    cp "$root/copy" "$root/other/state.db"
    BANGER_STATE_DIR=$root/other banger vm list -q
  }
  walk banger-doctor none backup whole_or_none 3
}

# bats test_tags=once
@test "doctor --fix killed at each point" {
  expect 0 banger vm create $tiny --net isolated x
  banger vm start --no-wait x
  expect 0 banger vm kill x
  run_dir=$(echo "$XDG_RUNTIME_DIR"/banger/*)
  stray=
  leave_things() {
    mkdir -p "$BANGER_STATE_DIR"/{vms,images}/0123456789ab "$run_dir/0123456789ab"
    touch "$BANGER_STATE_DIR/.a.tmp" "$BANGER_STATE_DIR"/{vms,images}/0123456789ab/root
    if [ -z "$stray" ] || gone "$stray"; then
      (cd "$run_dir/0123456789ab" && exec sleep 600) 3>&- &
      stray=$!
      await 5 is_at_work
    fi
  }
  is_at_work() { [ "$(readlink "/proc/$stray/cwd")" = "$run_dir/0123456789ab" ]; }
  fix() { banger doctor --fix; }
  after_fix() {
    # A stray that is left is told still, and the next one takes it, and nothing else.
    [ "$1" = whole ] || expect 1 banger doctor --leaks
    expect 0 banger doctor --fix
    expect 0 banger doctor --leaks
    await 5 gone "$stray"
    in_state x stopped
    same "$(ls "$BANGER_STATE_DIR/vms" | wc -l) $(ls "$BANGER_STATE_DIR/images" | wc -l)" "1 1"
  }
  walk banger-doctor leave_things fix after_fix 7
  expect 0 e2fsck -fn "$BANGER_STATE_DIR"/images/*/root.ext4
  expect 0 banger vm rm x
}
