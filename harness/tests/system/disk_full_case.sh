#!/usr/bin/env bash
# A full disk under the run directory is infra, and named.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
need_kernel
[ "$(id -u)" -eq 0 ] || skip "needs root to mount a small tmpfs"
mkdir "$work/full"
mount -t tmpfs -o size=1400k tmpfs "$work/full" || skip "cannot mount a tmpfs here"
scenario 60s
runs=$work/full
run &
for i in $(seq 300); do
  grep -qs '"ev":"phase_start"' "$work"/full/case/1/events.jsonl && break
  sleep 0.2
done
head -c 2M /dev/zero > "$work/full/filler" 2> /dev/null
wait $!
expect_code $? 3
expect_line '^infra case: the disk of the run directory is full'
[ -f "$work/full/case/1/verdict" ] || die "the run directory lost its verdict"
