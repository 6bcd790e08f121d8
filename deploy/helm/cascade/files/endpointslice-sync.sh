#!/bin/sh
# Keeps DIRECTORY/SERVICE.json: the EndpointSlices of one service, mirrored ones of other clusters among them, as a list.
# Each change writes the whole list beside the file and renames it over it, so readers see old or new and nothing between,
# and slices that are deleted go. Runs until it is stopped; whatever fails is tried again, and the file keeps what was last
# known.
usage() {
    cat <<'TEXT'
usage: SERVICE=name [DIRECTORY=/slices] [NAMESPACE=…] [LONGEST_WATCH=60] [KUBECTL=kubectl] endpointslice-sync.sh

  SERVICE        the service whose EndpointSlices are wanted
  DIRECTORY      where SERVICE.json is written
  NAMESPACE      of the service; without it the pod's own
  LONGEST_WATCH  seconds after which everything is listed again, whatever was heard
  KUBECTL        the program to ask with; it asks as KUBECONFIG says, without that as the pod's service account
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
longest=${LONGEST_WATCH:-60}
# Where every pod has it; tests have another.
account=${SERVICE_ACCOUNT_DIRECTORY:-/var/run/secrets/kubernetes.io/serviceaccount}
file="$directory/$SERVICE.json"
answer="$directory/.$SERVICE.answer"
temporary="$directory/.$SERVICE.json.tmp"
events="$directory/.$SERVICE.events"
heard="$directory/.$SERVICE.heard"
identity="$directory/.$SERVICE.kubeconfig"

watch=
child=
stop() {
    # shellcheck disable=SC2086 # none or one each
    kill $watch $child 2>/dev/null
    rm -f "$answer" "$temporary" "$events" "$heard" "$identity"
    exit 0
}
trap stop TERM INT

# The pod's identity, written down: kubectl finds it by itself only as long as no flag such as --request-timeout is set
# (kubernetes/kubernetes#93474). It names the token's file, so that a token which is replaced is read again.
write_identity() {
    case $KUBERNETES_SERVICE_HOST in
    *:*) host="[$KUBERNETES_SERVICE_HOST]" ;;
    *) host=$KUBERNETES_SERVICE_HOST ;;
    esac
    cat >"$identity" <<YAML
apiVersion: v1
kind: Config
clusters: [{ name: pod, cluster: { server: "https://$host:${KUBERNETES_SERVICE_PORT:-443}", certificate-authority: "$account/ca.crt" } }]
users: [{ name: pod, user: { tokenFile: "$account/token" } }]
contexts: [{ name: pod, context: { cluster: pod, user: pod } }]
current-context: pod
YAML
}

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
ask() { # PARAMETERS SECONDS
    slices="/apis/discovery.k8s.io/v1/namespaces/$namespace/endpointslices"
    exec "$kubectl" get --raw "$slices?labelSelector=kubernetes.io%2Fservice-name%3D$SERVICE$1" --request-timeout="$2s"
}
list() { ask "" 10 >"$answer"; }
# Everything that has changed since the version of the list. The server ends it; one that died unseen must not keep us.
follow() { ask "&watch=true&resourceVersion=$version&timeoutSeconds=$longest" $((longest + 5)) >"$events"; }
# Waits for a word; nothing at the end of the watch.
hear() { exec dd bs=65536 count=1 <&3 >"$heard" 2>/dev/null; }
# Changes come in bursts; one list does for all that is said in a tenth of a second. That its time is over is no news.
gather() {
    exec 2>/dev/null
    timeout 0.1 cat <&3 >/dev/null
    :
}

# `version` is the list's own, before its items. It grows with every change of anything in the cluster, so it is not kept:
# equal slices are an equal file.
write() {
    if ! run list || [ ! -s "$answer" ]; then
        echo "could not list EndpointSlices of $SERVICE; $file stays as it is" >&2
        return 1
    fi
    version=$(head -c 1000 "$answer" | sed -n 's/^\([^[]*\)"resourceVersion":"\([0-9]*\)".*/\2/p')
    sed 's/^\([^[]*\)"resourceVersion":"[0-9]*"/\1"resourceVersion":""/' "$answer" >"$temporary" || return 1
    if [ -e "$file" ] && cmp -s "$temporary" "$file"; then return 0; fi
    mv -f "$temporary" "$file" && echo "wrote $file"
}

# Lists again whenever the watch says something, until it ends. Fails when a list does, or when the watch ends at once, as
# without permission.
listen() {
    begun=$(date +%s)
    follow &
    watch=$!
    exec 3<"$events"
    result=0
    while run hear && [ -s "$heard" ]; do
        run gather
        write || { result=1 && break; }
        pause=1
    done
    exec 3<&-
    { kill "$watch" && wait "$watch"; } 2>/dev/null
    watch=
    if [ $(($(date +%s) - begun)) -ge $((longest < 2 ? longest : 2)) ]; then pause=1; else result=1; fi
    return $result
}

mkdir -p "$directory" && rm -f "$events" && mkfifo "$events" || exit 1
if [ -z "${KUBECONFIG:-}" ] && [ -n "${KUBERNETES_SERVICE_HOST:-}" ] && [ -r "$account/token" ]; then
    write_identity || exit 1
    export KUBECONFIG="$identity"
    namespace=${NAMESPACE:-$(cat "$account/namespace")}
else
    namespace=${NAMESPACE:-$("$kubectl" config view --minify --output 'jsonpath={..namespace}')}
fi
namespace=${namespace:-default}
# From one failure to the next it doubles, so that nothing is asked for without end.
pause=1
while :; do
    if write && listen; then
        run sleep 0.2
    else
        run sleep "$pause"
        pause=$((pause < 16 ? pause * 2 : 16))
    fi
done
