#!/usr/bin/env bash
# The injectors that need more time, or a machine of their own, than those of system/inject_case.sh: each has an effect, and beside
# them nothing is found. One that lacks what it needs says so.
# shellcheck source-path=SCRIPTDIR source=../system/lib.sh
source "$(dirname "$0")/../system/lib.sh"
need_kernel
export TMPDIR=$work XDG_CACHE_HOME=$work/cache

# effects RUN PART...: each counted an effect in the guest
effects() {
  local part
  for part in "${@:2}"; do
    grep -q "\"ev\":\"part_end\".*\"part\":\"$part\".*\"effects\":[1-9]" "$work/runs/case/$1/events.jsonl" ||
      die "$part had no effect: $(grep "\"part\":\"$part\"" "$work/runs/case/$1/events.jsonl")"
  done
}

# with PART [LINE...]: adds an injector
with() {
  printf '[[injector]]\nname = "%s"\n' "$1" >> "$work/case.toml"
  [ $# -lt 2 ] || printf '%s\n' "${@:2}" >> "$work/case.toml"
}

# Those that need a machine of their own kind. Reclaim demotes; what is on tmpfs is swapped.
scenario 8s 'memory = "1GiB"' 'slow_memory = "128MiB"' '[kernel]' 'cmdline = "movablecore=640M"'
for part in demote memory_offline swapoff ksm fail_alloc damon; do with "$part"; done
with thp 'via = "madvise"'
with migrate 'via = "mbind"'
printf '[[detector]]\nname = "write_under"\nfs = "tmpfs"\nsettle = "500ms"\n' >> "$work/case.toml"
run --seed 1
expect_code $? 0
effects 1 demote memory_offline swapoff ksm fail_alloc damon thp migrate

# Those of the host whose devices the machine has only for them; beside a limit that kills when nothing can be reclaimed.
scenario 10s
for part in balloon nmi cpu_contention disk_slow disk_error; do with "$part" 'length = "500ms"'; done
with memory_unplug 'length = "3s"'
with squeeze 'limit = "max"'
run --seed 1
expect_code $? 0
did=$work/runs/case/2/injections.jsonl
for part in balloon memory_unplug nmi cpu_contention disk_slow disk_error; do
  grep -q "\"part\":\"$part\".*\"effect\":true" "$did" || die "$part had no effect: $(cat "$did")"
done
effects 2 squeeze
[ ! -e "$work/runs/case/2/disk.img" ] || die "the guest's disk is left"

scenario 2s
with demote
with memory_offline
run --seed 1
expect_code $? 3
expect_line '^vacuous case: .*demote did not run: no node is slower than the others: nothing can be demoted; set machine.slow_memory'
expect_line 'memory_offline did not run: no block of memory is movable'
