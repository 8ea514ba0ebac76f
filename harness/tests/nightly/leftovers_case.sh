#!/usr/bin/env bash
# After kill -9 of the harness at ten random moments, nothing is left once `lufbed doctor --clean` has been: no QEMU, no scratch file,
# no half-made template. The run directory says incomplete.
# shellcheck source-path=SCRIPTDIR source=../system/lib.sh
source "$(dirname "$0")/../system/lib.sh"
need_kernel
export TMPDIR=$work/tmp XDG_CACHE_HOME=$work/cache
mkdir "$TMPDIR"
scenario 60s
printf '[[injector]]\nname = "machine_migrate"\nafter = "10ms"\nperiod = "10ms"\n' >> "$work/case.toml"

count=0
# killed SECONDS FILE ARG...: runs, and kills the harness that time after the run directory holds FILE; at once if that is empty
killed() {
  run "${@:3}" &
  local job=$!
  if [ -n "$2" ]; then
    count=$((count + 1))
    for _ in $(seq 600); do
      [ ! -s "$work/runs/case/$count/$2" ] || break
      sleep 0.1
    done
  fi
  sleep "$1"
  # Beneath the shell is `timeout`, beneath that the harness.
  kill -KILL "$(pgrep -P "$(pgrep -P "$job")")"
  wait "$job"
}

for _ in $(seq 9); do
  after=$((RANDOM % 4)).$((RANDOM % 10))
  killed "$after" plan.bin
  gone "$after s"
done
runs=$work/early killed 0.3 ''
gone "0.3 s"
scenario 60s
killed 0 domain.xml --machine libvirt
gone "the start of libvirt"
killed 1 events.jsonl --machine libvirt
gone "the start of libvirt's guest"
runs=$work/early killed 2 '' --deterministic
gone "2 s of a template"
nothing_lost
