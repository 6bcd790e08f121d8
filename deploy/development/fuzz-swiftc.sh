#!/usr/bin/env bash
# fuzz-swiftc.sh ARGUMENTS…: swiftc for fuzz.sh (SWIFT_EXEC). Only our own modules are instrumented: libFuzzer goes through
# all counters of the program after each execution, and the control plane's dependencies have ten times as many as we.
set -euo pipefail
flags=()
previous=
for argument; do
    if [ "$previous" = -module-name ]; then
        case $argument in WebRTC | Forwarding | Routing | ControlPlane | fuzz) flags=('-sanitize=fuzzer,address') ;; esac
    fi
    previous=$argument
done
exec "$CASCADE_SWIFTC" "$@" "${flags[@]}"
