#!/usr/bin/env bash
# install.sh BUILD-FOLDER: puts the programs into $DESTDIR$PREFIX/bin without symbols, which go to lib/debug, where a
# debugger looks for them. PROGRAMS="origin edge" leaves out the others.
set -euo pipefail
from=$1
prefix=${PREFIX:-/usr/local}
for program in ${PROGRAMS:-origin edge probe}; do
    target=${DESTDIR:-}$prefix/bin/cascade-$program
    symbols=${DESTDIR:-}$prefix/lib/debug$prefix/bin/cascade-$program.debug
    mkdir -p "$(dirname "$target")" "$(dirname "$symbols")"
    objcopy --only-keep-debug "$from/$program" "$symbols"
    objcopy --strip-all --add-gnu-debuglink="$symbols" "$from/$program" "$target"
    chmod 755 "$target"
    printf '%s: %s MB, symbols in %s\n' "$target" "$(($(stat -c %s "$target") / 1000000))" "$symbols"
done
