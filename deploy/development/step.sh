#!/usr/bin/env bash
# step.sh TITLE COMMAND…: runs a long command quietly, with a sign of life every 15 s; its output only if it fails.
set -uo pipefail
title=$1
shift
log=$(mktemp)
trap 'rm -f "$log"' EXIT
started=$SECONDS
echo "── $title"
"$@" >"$log" 2>&1 &
pid=$!
trap 'kill "$pid" 2>/dev/null; wait "$pid"; exit 130' INT TERM
while kill -0 "$pid" 2>/dev/null; do
    for _ in $(seq 15); do kill -0 "$pid" 2>/dev/null && sleep 1; done
    kill -0 "$pid" 2>/dev/null && echo "   … $((SECONDS - started)) s: $(tail -n 1 "$log" | tr '\r' '\n' | tail -n 1 | cut -c1-100)"
done
wait "$pid"
status=$?
if [ $status -ne 0 ]; then
    grep -E 'error:|fatal' "$log" | sort -u | head -n 40 >&2
    tail -n 40 "$log" >&2
    echo "── failed: $title" >&2
    exit $status
fi
echo "   done in $((SECONDS - started)) s"
