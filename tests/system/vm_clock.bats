#!/usr/bin/env bats
# A guest's clock goes as its host's does, on a busy host, with one processor and with two, and after it stood still.
load ../lib
load vm

# For a guest: every line is answered with the time since its boot, while its processors are busy.
answers='for i in $(seq $(nproc)); do (while :; do :; done) & done
  while read -r l; do read -r up rest </proc/uptime; echo "$up"; done
  kill $(jobs -p)'

@test "a busy guest on a busy host: within 0.1 % of its host's clock, with 1 and with 2 processors" {
  expect 0 banger vm run $tiny --cpus 1 one
  expect 0 banger vm run $tiny --cpus 2 two
  # Three busy processors of guests; each look at a guest's clock lies between two at the host's.
  timeout 300 python3 - "$answers" one two <<'EOF'
import subprocess, sys, time

answers, *names = sys.argv[1:]
guests = {n: subprocess.Popen(["banger", "ssh", n, "--", answers], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, bufsize=0) for n in names}

def look(guest):
    before = time.monotonic()
    guest.stdin.write(b"\n")
    line = guest.stdout.readline()
    return before, float(line), time.monotonic()

for guest in guests.values():
    look(guest)
first = {n: look(g) for n, g in guests.items()}
time.sleep(40)
wrong = []
for name, guest in guests.items():
    (b1, g1, a1), (b2, g2, a2) = first[name], look(guest)
    least, passed, most = b2 - a1, g2 - g1, a2 - b1
    text = f"{name}: {passed:.2f} s, its host {least:.2f} to {most:.2f}"
    print(text)
    # The guest tells hundredths.
    if not (least - 0.02) * 0.999 <= passed <= (most + 0.02) * 1.001:
        wrong.append(text)
    guest.kill()
sys.exit("\n".join(wrong) or 0)
EOF
}

@test "a VMM that was stopped for a while, a guest that was paused for hours: right within seconds of going on" {
  expect 0 banger vm run $tiny --cpus 1 one
  expect 0 banger vm run $tiny --cpus 2 two
  local vmms
  vmms=("$(vm_field one .vmm.pid)" "$(vm_field two .vmm.pid)")
  kill -STOP "${vmms[@]}"
  sleep 5 # by the host's clock, which a guest's counter must have seen pass: more than it may be wrong
  kill -CONT "${vmms[@]}"
  await 5 right_time one
  await 5 right_time two
  # The clock of a guest stands while it is paused. Set back, it is what three hours would make of it.
  for vm in one two; do banger ssh $vm -- 'date -s "@$(($(date +%s) - 10800))" >/dev/null'; done
  expect 0 banger vm pause one two
  expect 0 banger vm resume one two
  await 5 right_time one
  await 5 right_time two
}
