#!/usr/bin/env bash
# Runs every test of a built tree, a step at a time, saying which one runs.
set -euo pipefail
cd "$(dirname "$0")/../.."
log=$(mktemp)
trap 'rm -f "$log"' EXIT

echo "── Unit tests, simulation, sockets and HTTP (Swift)"
if ! swift test -c release -Xswiftc -enable-testing --skip-build >"$log" 2>&1; then
    grep -E '✘|error:|Fatal|crash' "$log" | head -n 60 >&2
    tail -n 20 "$log" >&2
    exit 1
fi
grep -E '^. Suite .* passed|simulation seed|^. Test run' "$log"

echo "── Real clients: Chromium, Firefox, FFmpeg, several processes"
.venv/bin/python -m pytest -v --durations=5 Tests/Clients
