#!/usr/bin/env bash
# After kill -9 of the harness, wherever it is, nothing is left once `lufbed doctor --clean` has been: no QEMU, no scratch file,
# no half-made template. The run directory says incomplete.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
need_kernel
export TMPDIR=$work/tmp XDG_CACHE_HOME=$work/cache
mkdir "$TMPDIR"
scenario 60s
printf '[[injector]]\nname = "machine_migrate"\nafter = "10ms"\nperiod = "10ms"\n' >> "$work/case.toml"

# killed SECONDS ARG...: runs, and kills the harness after that time
killed() {
  run "${@:2}" &
  sleep "$1"
  pkill -KILL -f -- "^$lufbed run $work/case.toml"
  wait $!
}

for after in 0.3 3 6 7.5; do
  killed "$after"
  gone "$after s"
done
scenario 60s
for after in 2 12; do
  killed "$after" --machine libvirt
  gone "$after s of libvirt"
done
killed 2 --deterministic
gone "2 s of a template"
nothing_lost
