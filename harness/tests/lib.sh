# Shared by all cases in shell: how one ends, and what it expects. They keep what was printed in $log.
# shellcheck shell=bash

skip() {
  echo "skipped: $*"
  exit 77
}

die() {
  echo "failed: $*"
  exit 1
}

expect_code() { [ "$1" -eq "$2" ] || die "exit code $1, not $2"; }
# shellcheck disable=SC2154 # set by who sources this
expect_line() { grep -q -- "$1" "$log" || die "no line with: $1"; }
