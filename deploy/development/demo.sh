#!/usr/bin/env bash
# Starts the deployment of topology.yaml on this machine and publishes a live test picture into it. Ctrl-C stops all of
# it. SECONDS_TO_RUN=30 stops by itself.
set -euo pipefail
cd "$(dirname "$0")/../.."
bin=${BIN:-$(swift build -c release --show-bin-path 2>/dev/null)}
run=$(mktemp -d)
pids=()

stop() {
    trap - EXIT INT TERM
    echo
    echo "── Stopping"
    # The picture first, then the nodes from the edges inwards: each says good-bye to the one above.
    local i
    for ((i = ${#pids[@]} - 1; i >= 0; i--)); do kill "${pids[i]}" 2>/dev/null || true; done
    for ((i = ${#pids[@]} - 1; i >= 0; i--)); do wait "${pids[i]}" 2>/dev/null || true; done
    rm -rf "$run"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

fail() {
    echo "── $1" >&2
    tail -n 15 "$run/$2.log" >&2 || true
    exit 1
}

start() { # NAME COMMAND…
    local name=$1
    shift
    "$@" >"$run/$name.log" 2>&1 &
    pids+=($!)
}

wait_for() { # NAME URL
    local _
    for _ in $(seq 100); do
        curl --silent --fail --output /dev/null "$2" && return 0
        kill -0 "${pids[-1]}" 2>/dev/null || fail "$1 did not start" "$1"
        sleep 0.1
    done
    fail "$1 is not ready" "$1"
}

random_hex() { head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n'; }
export CASCADE_PUBLISH_TOKEN=${CASCADE_PUBLISH_TOKEN:-$(random_hex)}
export CASCADE_NODE_SECRET=${CASCADE_NODE_SECRET:-$(random_hex)}

echo "── Starting origin-1, edge-eu, edge-us (topology.yaml)"
start origin-1 "$bin/origin" --topology topology.yaml
wait_for origin-1 http://127.0.0.1:9080/readyz
start edge-eu "$bin/edge" --topology topology.yaml --node edge-eu
wait_for edge-eu http://127.0.0.1:9081/readyz
start edge-us "$bin/edge" --topology topology.yaml --node edge-us
wait_for edge-us http://127.0.0.1:9082/readyz

echo "── Publishing a test picture as \"demo\""
read -r video audio < <(python3 - <<'PY'
import socket
ports = []
while len(ports) < 2:
    # RTP wants an even port with the next one free for RTCP.
    a, b = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    a.bind(("127.0.0.1", 0))
    port = a.getsockname()[1]
    try:
        if port % 2 == 0:
            b.bind(("127.0.0.1", port + 1))
            ports.append(port)
    except OSError:
        pass
    finally:
        a.close(), b.close()
print(*ports)
PY
)
font=/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf
text="fontfile=$font:fontcolor=white:box=1:boxcolor=black@0.6:boxborderw=12:x=(w-tw)/2"
start ffmpeg ffmpeg -hide_banner -nostdin -loglevel warning \
    -re -f lavfi -i "testsrc2=size=1280x720:rate=30" -re -f lavfi -i "sine=frequency=440:sample_rate=48000" \
    -filter:v "drawtext=$text:fontsize=64:y=h*0.40:text='%{localtime\:%T}',drawtext=$text:fontsize=40:y=h*0.56:text='frame %{n}'" \
    -map 0:v -c:v libvpx -deadline realtime -cpu-used 8 -b:v 2M -maxrate 2500k -bufsize 1M -g 60 -threads 2 \
    -f rtp "rtp://127.0.0.1:$video?pkt_size=1200" \
    -map 1:a -filter:a volume=0.1 -c:a libopus -b:a 64k -ac 2 -f rtp "rtp://127.0.0.1:$audio?pkt_size=1200" \
    -sdp_file "$run/demo.sdp"
for _ in $(seq 100); do [ -s "$run/demo.sdp" ] && break; sleep 0.1; done
[ -s "$run/demo.sdp" ] || fail "ffmpeg did not start" ffmpeg
start probe "$bin/probe" publish --url http://127.0.0.1:8080/whip/demo \
    --rtp-video "$video" --rtp-audio "$audio" --sdp "$run/demo.sdp"
for _ in $(seq 100); do
    curl --silent http://127.0.0.1:8080/api/broadcasts | grep -q '"demo"' && break
    kill -0 "${pids[-1]}" 2>/dev/null || fail "probe publish ended" probe
    sleep 0.1
done

cat <<END

   Watch    http://127.0.0.1:8081/?broadcast=demo   (edge-eu)
            http://127.0.0.1:8082/?broadcast=demo   (edge-us)
            http://127.0.0.1:8080/?broadcast=demo   (origin-1)
   Publish  http://127.0.0.1:8080/publish           token: $CASCADE_PUBLISH_TOKEN
   Look     http://127.0.0.1:9080/metrics  http://127.0.0.1:8081/api/nodes

   Ctrl-C stops everything.
END
ends=$((SECONDS + ${SECONDS_TO_RUN:-2000000000}))
while [ $SECONDS -lt $ends ]; do
    for pid in "${pids[@]}"; do
        kill -0 "$pid" 2>/dev/null || { grep -h . "$run"/*.log | tail -n 20 >&2; echo "── one of the processes ended" >&2; exit 1; }
    done
    sleep 1
done
