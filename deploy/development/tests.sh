#!/usr/bin/env bash
# Runs every test of a built tree, a step at a time, saying which one runs.
set -euo pipefail
cd "$(dirname "$0")/../.."
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# NAME PATTERN COMMAND…: runs COMMAND, shows what matches PATTERN, or what went wrong.
step() {
    local name=$1 pattern=$2
    shift 2
    echo "── $name"
    if ! "$@" >"$log" 2>&1; then
        grep -E '✘|error:|Fatal|crash' "$log" | head -n 60 >&2
        tail -n 20 "$log" >&2
        exit 1
    fi
    grep -E "$pattern" "$log"
}

test=(swift test -c release -Xswiftc -enable-testing --skip-build)
# What only computes would take all threads from what waits for real time, for seconds on end.
step "Unit tests and simulation (Swift)" '^. Suite .* passed|^. Test run|^OpenSSL loaded|^offer generator|^fuzz replay' \
    "${test[@]}" --skip '^ControlPlaneTests\.' --skip '^MediaPlaneTests\.' --skip ClusterSimulationTests
step "DTLS under other patch releases of OpenSSL" '^OpenSSL|^. Test run' deploy/development/openssl-versions.sh
# Whole nodes wait for real time: eight at once keep two cores busy and no longer.
step "Sockets, HTTP and whole nodes (Swift)" '^. Suite .* passed|^. Test run' \
    env SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH=8 "${test[@]}" --filter '^ControlPlaneTests\.' --filter '^MediaPlaneTests\.'
step "Five hundred simulated clusters with random faults" '^cluster simulation|^. Test run' \
    env CASCADE_SEEDS=500 "${test[@]}" --filter ClusterSimulationTests

echo "── Kubernetes: the chart and the sidecar, with the real helm and kubectl"
.venv/bin/python -m pytest -q --tb=short --reruns 1 Tests/Kubernetes

echo "── Attacks on running nodes, the quick ones (make attack runs all)"
.venv/bin/python -m pytest -q -rs --tb=short -m cheap Tests/Attack

echo "── Real clients: Chromium, Firefox, FFmpeg, several processes"
# A browser encodes, another decodes, on cores that others may share: one stall of the machine is no verdict. A second try
# is shown as RERUN.
.venv/bin/python -m pytest -v --reruns 1 --durations=5 Tests/Clients
