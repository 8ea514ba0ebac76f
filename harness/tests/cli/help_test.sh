#!/bin/sh
# The help of every subcommand is what tests/data/help says. LUFBED_UPDATE_GOLDEN=1 rewrites it.
# usage: help_test.sh LUFBED DATA
set -u
failed=0
for name in main run campaign history compare merge serve metrics explore repro minimise bisect pack check list doctor bench bench_boot bench_shootdowns bench_costs \
  bench_throughput bench_overhead bench_oracle kunit kselftest matrix; do
  case $name in main) set -- "$1" "$2" ;; bench_*) set -- "$1" "$2" bench "${name#bench_}" ;; *) set -- "$1" "$2" "$name" ;; esac
  found=$(cd / && "$1" ${3:+"$3"} ${4:+"$4"} --help)
  set -- "$1" "$2"
  if [ -n "${LUFBED_UPDATE_GOLDEN-}" ]; then
    printf '%s\n' "$found" > "$2/$name.txt"
  elif ! printf '%s\n' "$found" | diff -u "$2/$name.txt" -; then
    failed=1
  fi
done
exit $failed
