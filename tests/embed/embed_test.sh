#!/usr/bin/env bash
# The library as others meet it: installs the build into a folder of its own, builds programs against what is there, by
# pkg-config and by CMake, shared and static, and runs them against fleetsim. Argument: the build folder.
set -euo pipefail
build=$(cd "${1:?the build folder}" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
home=$(mktemp -d /tmp/tranche-embed-XXXXXX)
fleet=
trap 'kill $fleet 2>/dev/null || true; rm -rf "$home"' EXIT
failed() { echo "FAILED: $*"; exit 1; }

cmake --install "$build" --prefix "$home/installed" >"$home/install.log"
export PKG_CONFIG_PATH
PKG_CONFIG_PATH=$(dirname "$(find "$home/installed" -name tranche.pc)")
lib=$(dirname "$PKG_CONFIG_PATH")
pc() { pkg-config --cflags --libs "$1"; }

# Only our own names go out.
for library in "$lib/libtranche.so" "$lib/libtranche.a"; do
    flags=$([ "${library##*.}" = so ] && echo -D || echo -g)
    others=$(nm "$flags" --defined-only "$library" | awk 'NF == 3 { print $3 }' | grep -v '^tranche_' || true)
    [ -z "$others" ] || failed "$library offers: $others"
    nm "$flags" --defined-only "$library" | grep -q ' T tranche_engine_open$' || failed "$library lacks tranche_engine_open"
done

mkdir "$home/programs"
# shellcheck disable=SC2046
for program in embed clash; do
    cc -std=c11 -Wall -Werror "$here/$program.c" -o "$home/programs/${program}_pc_shared" $(pc tranche)
    cc -std=c11 -Wall -Werror "$here/$program.c" -o "$home/programs/${program}_pc_static" $(pc tranche-static)
done
cmake -S "$here" -B "$home/cmake" -DCMAKE_PREFIX_PATH="$home/installed" >"$home/cmake.log" || { cat "$home/cmake.log"; exit 1; }
cmake --build "$home/cmake" >>"$home/cmake.log" || { cat "$home/cmake.log"; exit 1; }
cp "$home/cmake/embed_shared" "$home/cmake/embed_static" "$home/programs"

"$home/installed/bin/fleetsim" --listen 127.0.0.1:0 >"$home/fleet" 2>/dev/null &
fleet=$!
for _ in $(seq 100); do grep -q listening "$home/fleet" && break; sleep 0.05; done
url=$(sed -n 's/.*listening on //p' "$home/fleet")
export LD_LIBRARY_PATH=$lib
for program in embed_pc_shared embed_pc_static embed_shared embed_static; do
    out=$("$home/programs/$program" "$home/data-$program" "$url" 2>/dev/null) || failed "$program: $out"
    [ "$out" = "$(printf 'REST API: there\nlamp-1 completed 202\nlamp-2 completed 202\nlamp-3 completed 202\n3 of 3 completed')" ] ||
        failed "$program printed: $out"
done
for program in clash_pc_shared clash_pc_static; do
    out=$("$home/programs/$program") || failed "$program: $out"
    [[ $out == *" UnprocessableEntity 10" ]] || failed "$program printed: $out"
done
echo "six programs built against an installed tree, all as they must be"
