#!/bin/sh
# Keeps DIRECTORY/SERVICE.json: the EndpointSlices of one service, mirrored ones of other clusters among them, as a list.
# Each change writes the whole list beside the file and renames it over it, so readers see old or new and nothing between,
# and slices that are deleted go. Runs until it is stopped; whatever fails is tried again, and the file keeps what was last
# known.
usage() {
    cat <<'TEXT'
usage: SERVICE=name [DIRECTORY=/slices] [NAMESPACE=…] [LONGEST_WATCH=60] [KUBECTL=kubectl] sync.sh

  SERVICE        the service whose EndpointSlices are wanted
  DIRECTORY      where SERVICE.json is written
  NAMESPACE      of the service; without it the pod's own
  LONGEST_WATCH  seconds after which everything is listed again, whatever was heard
  KUBECTL        the program to ask with
TEXT
}

set -u
case ${1:-} in
-h | --help) usage && exit 0 ;;
esac
if [ $# -gt 0 ] || [ -z "${SERVICE:-}" ]; then
    usage >&2
    exit 64
fi
directory=${DIRECTORY:-/slices}
kubectl=${KUBECTL:-kubectl}
# The API server ends a watch after some minutes, and one that died unseen must not keep us: look again at least this often.
longest=${LONGEST_WATCH:-60}
selector="kubernetes.io/service-name=$SERVICE"
file="$directory/$SERVICE.json"
temporary="$directory/.$SERVICE.json.tmp"
events="$directory/.$SERVICE.events"
heard="$directory/.$SERVICE.heard"

watch=
child=
stop() {
    # shellcheck disable=SC2086 # none or one each
    kill $watch $child 2>/dev/null
    rm -f "$temporary" "$events" "$heard"
    exit 0
}
trap stop TERM INT

# Runs a command so that a signal to this shell need not wait for its end; the shell's own status is the command's.
run() {
    "$@" &
    child=$!
    wait "$child"
    status=$?
    child=
    return $status
}

# Each of these becomes the program that it runs, so that a signal to it ends that.
ask() { exec "$kubectl" get endpointslices ${NAMESPACE:+--namespace "$NAMESPACE"} --selector "$selector" "$@"; }
list() { ask --output json --request-timeout=10s >"$temporary"; }
# First names every slice that is there, so nothing that changed since the list is missed.
follow() { ask --watch --output name --request-timeout="${longest}s" >"$events"; }
# One read takes everything that was said meanwhile; nothing at the end of the watch.
hear() { exec dd bs=65536 count=1 <&3 >"$heard" 2>/dev/null; }

write() {
    if ! run list || [ ! -s "$temporary" ]; then
        echo "could not list EndpointSlices of $SERVICE; $file stays as it is" >&2
        return 1
    fi
    if [ -e "$file" ] && cmp -s "$temporary" "$file"; then return 0; fi
    mv -f "$temporary" "$file" && echo "wrote $file"
}

mkdir -p "$directory" && rm -f "$events" && mkfifo "$events" || exit 1
pause=1
while :; do
    begun=$(date +%s)
    failed=
    write || failed=yes
    follow &
    watch=$!
    exec 3<"$events"
    while run hear && [ -s "$heard" ]; do
        # Changes come in bursts; one list does for all of them.
        run sleep 0.1
        write || failed=yes
    done
    exec 3<&-
    wait "$watch" || [ $(($(date +%s) - begun)) -ge 5 ] || failed=yes
    watch=
    # What fails at once, as without permission, is not asked for without end.
    if [ -n "$failed" ]; then
        run sleep "$pause"
        pause=$((pause < 16 ? pause * 2 : 16))
    else
        pause=1
        run sleep 0.2
    fi
done
