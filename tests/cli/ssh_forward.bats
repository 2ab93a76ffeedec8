#!/usr/bin/env bats
# banger ssh forward against a real sshd; what "the guest" serves, this machine serves.
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2094,SC2154
load ../lib
load ssh_server

# A server that reads to the end of each connection, then answers with what came, turned about;
# several at once. Its port is in file `served`.
serve() {
  cat >serve.py <<'PY'
import socketserver, sys
class Turn(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(self.rfile.read()[::-1])
class Server(socketserver.ThreadingTCPServer):
    request_queue_size = 200
server = Server(("127.0.0.1", 0), Turn)
with open("served.new", "w") as f: print(server.server_address[1], file=f)
import os; os.rename("served.new", "served")
server.serve_forever()
PY
  python3 serve.py 3>&- &
  echo $! >serve.pid
  await 20 test -e served
  served=$(cat served)
}

# ask PORT COUNT SIZE: that many connections at once, each closes its way and gets it all back.
ask() {
  python3 - "$@" <<'PY'
import os, socket, sys, threading
port, count, size = map(int, sys.argv[1:])
failed = []
def one(i):
    try:
        data = os.urandom(size)
        with socket.create_connection(("127.0.0.1", port), timeout=60) as s:
            sender = threading.Thread(target=lambda: (s.sendall(data), s.shutdown(socket.SHUT_WR)))
            sender.start()
            back = b""
            while block := s.recv(65536): back += block
            sender.join()
        if back != data[::-1]: failed.append(f"{i}: {len(back)} bytes")
    except OSError as e:
        failed.append(f"{i}: {e}")
threads = [threading.Thread(target=one, args=(i,)) for i in range(count)]
for t in threads: t.start()
for t in threads: t.join()
sys.exit("\n".join(failed[:5]) or 0)
PY
}

forward() { # forward ARG...: in the background, once it listens
  rm -f out # of the one before
  banger-ssh forward "$@" >out 2>err 3>&- &
  client=$!
  await 20 test -s out
}
ended() { # ended STATUS
  status=0
  wait "$client" || status=$?
  same "$status" "$1"
}

teardown() {
  [ ! -e "$HOME/serve.pid" ] || end "$(cat "$HOME/serve.pid")"
  [ -z "$server" ] || stop_server
  remove_private_root
}

@test "connections, one way closed before the other, many at once" {
  start_vm demo
  serve
  forward demo "0:$served" --json
  output=$(cat out) && schema forward
  same "$(jq -r '.vm, .address, .guest' out)" $'demo\n127.0.0.1\n'"$served"
  local port
  port=$(jq .port out)
  expect 0 ask "$port" 1 0
  expect 0 ask "$port" 1 3000000
  expect 0 ask "$port" 30 300000
  expect 0 ask "$port" 150 10 # more than it takes at once
  kill -TERM $client
  ended 0
  expect 1 ask "$port" 1 1
}

@test "what nobody listens on in the guest is refused, and the next is served" {
  start_vm demo
  serve
  forward demo "0:1" "0:$served"
  same "$(sed 's/.* -> //' out)" $'demo:1\n'"demo:$served"
  local ports
  mapfile -t ports < <(sed 's/.*:\([0-9]*\) .*/\1/' out)
  expect 1 ask "${ports[0]}" 1 10
  expect 0 ask "${ports[1]}" 1 10
  kill -INT $client || true
  kill -TERM $client
  ended 0
}

@test "a port that is taken is a conflict, and the guest is not asked" {
  plain_vm demo running $$
  serve
  expect 4 banger ssh forward demo "$served:80"
  errors "cannot listen on 127.0.0.1:$served"
  errors "(process $(cat serve.pid)) has that port"
}

@test "a guest that goes ends it" {
  start_vm demo
  forward demo 0:80 --json
  # sshd's processes for this connection: one for root, two for a plain user.
  local priv
  priv=$(pgrep -P "$server")
  # shellcheck disable=SC2046 # none or one word
  kill -KILL "$priv" $(pgrep -P "$priv" -f '^sshd')
  ended 1
  same "$(jq -r .code err)" unreachable
}
@test "bad words" {
  plain_vm demo running $$
  local bad
  for bad in 0 65536 x '' 1:2:3:4 :1:2 -1 1: 80:0; do
    expect 2 banger ssh forward demo -- "$bad"
  done
  expect 2 banger ssh forward demo nosuch:1:2
  errors 'not an IPv4 address'
  for bad in '' :22 22/udp 80-81:80-81 http:80; do
    expect 2 banger ssh forward demo -- "$bad"
    errors "invalid port '$bad'"
  done
  expect 1 banger ssh forward --json demo localhost:0:80
  expect 2 banger ssh forward demo
  expect 3 banger ssh forward nosuch 80
  expect 1 banger ssh forward --json demo 0:80
  same "$(error_field .code)" unreachable
}
