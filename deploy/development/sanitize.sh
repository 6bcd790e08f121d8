#!/usr/bin/env bash
# make sanitize: unit tests and simulation under the address sanitizer, then the media and the control plane under the thread
# sanitizer. ARGS="address" or ARGS="thread" runs one half. Not part of make test: each half builds everything once more
# (debug, in .build-address and .build-thread). Swift has no undefined-behaviour sanitizer on Linux: what it would find
# (overflow, shifts, ranges, casts) traps in every Swift build, and no C of ours is more than a few lines.
set -euo pipefail
cd "$(dirname "$0")/../.."
export SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH=4
# What the system's libraries keep until the end of the process is theirs; allocation is counted in the ordinary run.
export ASAN_OPTIONS=detect_leaks=0 TSAN_OPTIONS=suppressions=$PWD/deploy/development/thread-sanitizer.txt

run() {
    local name=$1 build=$2
    shift 2
    echo "── $name: building ($build)"
    swift build --build-tests --scratch-path "$build" "${flags[@]}" >"$build.log" 2>&1 || { tail -n 40 "$build.log" >&2; exit 1; }
    echo "── $name: running"
    local result=0
    swift test --skip-build --scratch-path "$build" "${flags[@]}" "$@" >"$build.log" 2>&1 || result=$?
    if grep -E 'SUMMARY: |runtime error:' "$build.log" >&2; then exit 1; fi
    # The thread sanitizer makes everything ten times as slow: what waits for real time may fail, which is no finding.
    if [ $result != 0 ] && ! { [ "$build" = .build-thread ] && grep -q 'Test run with' "$build.log"; }; then
        grep -E '✘|ERROR:|WARNING:' "$build.log" | head -n 60 >&2
        tail -n 20 "$build.log" >&2
        exit 1
    fi
    grep -E 'Test run with' "$build.log"
}

half=${1:-all}
if [ "$half" != thread ]; then
    flags=(--sanitize=address)
    run "Addresses" .build-address --skip '^ControlPlaneTests\.' --skip '^MediaPlaneTests\.' --skip AllocationTests --skip ClusterSimulationTests
fi
if [ "$half" != address ]; then
    flags=(--sanitize=thread)
    run "Threads" .build-thread --filter '^MediaPlaneTests\.' --filter '^ControlPlaneTests\.'
fi
