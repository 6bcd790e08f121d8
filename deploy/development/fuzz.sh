#!/usr/bin/env bash
# fuzz.sh SECONDS [TARGET…]: runs libFuzzer with AddressSanitizer on every target of Tests/FuzzTests, or on those named,
# one after another, SECONDS in all, the whole unit for half of them. RUNS=… in the environment counts executions in place of
# seconds: so many for each target, a fifth for the whole unit and for real handshakes, which take a hundred times as long.
# CASCADE_FUZZ=media leaves out the control plane, whose build is long. The corpus stays in .build-fuzz; an input that ends
# the process is saved where the tests repeat it.
set -euo pipefail
cd "$(dirname "$0")/../.."
export CASCADE_FUZZ=${CASCADE_FUZZ:-all} SWIFT_BACKTRACE=enable=no
# What is lost is looked for elsewhere, and whole stacks of allocations cost more than the code under test.
export ASAN_OPTIONS=detect_leaks=0:malloc_context_size=2:quarantine_size_mb=16:max_malloc_fill_size=0
seconds=$1
shift
runs=${RUNS:-}
build=(swift build -c release --scratch-path .build-fuzz --product fuzz -Xswiftc -enable-testing -Xswiftc -use-ld=lld)
CASCADE_SWIFTC=$(dirname "$(readlink -f "$(command -v swift)")")/swiftc
export CASCADE_SWIFTC
SWIFT_EXEC=$PWD/deploy/development/fuzz-swiftc.sh deploy/development/step.sh \
    "Building the fuzzer (the first time takes some minutes)" "${build[@]}"
fuzz=$("${build[@]}" --show-bin-path)/fuzz

mapfile -t known < <("$fuzz" list)
targets=()
for line in "${known[@]}"; do
    if [ $# -eq 0 ] || [[ " $* " == *" ${line% *} "* ]]; then targets+=("$line"); fi
done
[ ${#targets[@]} -gt 0 ] || { echo "no such target: $*; there are: ${known[*]% *}" >&2; exit 2; }

# The whole unit counts as much as all the others together.
shares=0
for line in "${targets[@]}"; do [ "${line% *}" = unit ] || shares=$((shares + 1)); done
unit=$((seconds / 2))
[ $shares -gt 0 ] || unit=$seconds
[[ " ${targets[*]} " == *" unit "* ]] || unit=0

# How long a target runs, as libFuzzer wants to be told.
limit() {
    local share=$unit
    if [ -n "$runs" ]; then
        case $1 in unit | dtls-handshake) echo "-runs=$((runs / 5))" ;; *) echo "-runs=$runs" ;; esac
        return
    fi
    [ "$1" = unit ] || share=$(((seconds - unit) / shares))
    echo "-max_total_time=$((share > 0 ? share : 1))"
}

table=$(printf '%-22s %12s %8s %8s %8s  %s' target executions cov ft inputs result)
failed=0
for line in "${targets[@]}"; do
    read -r name longest <<<"$line"
    corpus=.build-fuzz/corpus/$name
    found=Tests/FuzzTests/Regressions/$name
    mkdir -p "$corpus" "$found"
    "$fuzz" seeds "$name" "$corpus"
    echo "── $name, $(limit "$name")"
    log=.build-fuzz/$name.log
    result=held
    # libFuzzer's own pulse is the sign of life.
    if ! "$fuzz" "$name" -max_len="$longest" "$(limit "$name")" -timeout=120 -rss_limit_mb=1024 \
        -artifact_prefix="$found/" "$corpus" "$found" 2>&1 |
        tee "$log" | grep --line-buffered -E 'pulse|ERROR|Fatal error|SUMMARY|^Test unit written'; then
        grep -q '^#.*DONE' "$log" || { result=FAILED && failed=1; }
    fi
    [ -n "$(ls -A "$found")" ] || rmdir "$found"
    last=$(grep -E '^#[0-9]+' "$log" | tail -n 1)
    table+=$'\n'$(sed -E 's/^#([0-9]+).*cov: ([0-9]+) ft: ([0-9]+) corp: ([0-9]+).*/\1 \2 \3 \4/' <<<"$last" |
        xargs printf '%-22s %12s %8s %8s %8s  %s' "$name" | sed "s/ *$/  $result/")
done
echo "$table"
echo "cov: edges of $(sed -nE 's/.*Loaded 1 modules *\(([0-9]+) .*/\1/p' "$log") in the whole program; ft: features"
exit $failed
