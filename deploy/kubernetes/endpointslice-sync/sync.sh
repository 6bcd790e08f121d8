#!/bin/sh
# Keeps a file with the EndpointSlices of one service: SERVICE, into DIRECTORY (default /slices), in this pod's namespace.
# Each change: the whole list, written beside the file and renamed over it, so that readers see old or new and nothing
# between. Cilium's mirrored slices of other clusters are among them. Runs until it is stopped; whatever fails is tried
# again, and the file keeps what was last known.
set -u
: "${SERVICE:?SERVICE must name the service whose EndpointSlices are wanted}"
directory=${DIRECTORY:-/slices}
kubectl=${KUBECTL:-kubectl}
# The API server ends a watch after some minutes, and one that died unseen must not keep us: look again at least this often.
longest=${LONGEST_WATCH:-60}
selector="kubernetes.io/service-name=$SERVICE"
file="$directory/$SERVICE.json"
temporary="$directory/.$SERVICE.json.tmp"

watch=
stop() {
    [ -n "$watch" ] && kill "$watch" 2>/dev/null
    rm -f "$temporary"
    exit 0
}
trap stop TERM INT

write() {
    if ! "$kubectl" get endpointslices --selector "$selector" --output json --request-timeout=10s >"$temporary"; then
        echo "could not list EndpointSlices of $SERVICE; $file stays as it is" >&2
        return 1
    fi
    if [ -e "$file" ] && cmp -s "$temporary" "$file"; then return 0; fi
    mv -f "$temporary" "$file" && echo "wrote $file"
}

mkdir -p "$directory"
events="$directory/.events"
rm -f "$events" && mkfifo "$events" || exit 1
while :; do
    write || sleep 1
    # The watch first names every slice that is there, so nothing that changed since the list is missed.
    "$kubectl" get endpointslices --selector "$selector" --watch --output name \
        --request-timeout="${longest}s" >"$events" &
    watch=$!
    # Ends with the watch. Several changes at once are several lists, of which the last one is the newest.
    while read -r _; do write; done <"$events"
    wait "$watch"
    watch=
    sleep 0.2
done
