#!/usr/bin/env bash
# Runs the DTLS tests of a built tree under every OpenSSL that Debian's archive offers besides the installed one: what
# OpenSSL makes of forged records differs from one patch release to the next. Nothing is installed.
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
chmod 755 "$work"
trap 'rm -rf "$work"' EXIT

package=$(dpkg-query -W -f='${Package}\n' 'libssl3*' 2>/dev/null | head -n 1)
installed=$(dpkg-query -W -f='${Version}\n' "${package:-libssl3}" 2>/dev/null | head -n 1)
others=$(apt-cache madison "${package:-libssl3}" 2>/dev/null | awk '{ print $3 }' | sort -uV | grep -vxF "${installed:-none}" || true)
binary=$(find "$(swift build -c release --show-bin-path)" -maxdepth 1 -name '*.xctest' -type f | head -n 1)
tested=0
for version in $others; do
    folder=$work/$version
    mkdir "$folder"
    if ! (cd "$folder" && timeout 60 apt-get download -qq "$package=$version" && dpkg-deb -x ./*.deb .) >"$work/log" 2>&1; then
        echo "OpenSSL $version: cannot be downloaded"
        continue
    fi
    libraries=$(dirname "$(find "$folder" -name 'libssl.so.3' | head -n 1)")
    if ! LD_LIBRARY_PATH=$libraries "$binary" --testing-library swift-testing --filter 'WebRTCTests\.DTLS' >"$work/log" 2>&1; then
        echo "error: DTLS tests under OpenSSL $version" >&2
        cat "$work/log" >&2
        exit 1
    fi
    grep -E '^OpenSSL loaded|^. Test run' "$work/log"
    tested=$((tested + 1))
done
[ $tested -gt 0 ] || echo "OpenSSL: no version besides the installed ${installed:-one} to be had"
