#!/usr/bin/env bash
# Every injector of the host has an effect, and a guest that is stopped, stalled and migrated loses nothing. One that has none
# is vacuous.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
need_kernel
export TMPDIR=$work XDG_CACHE_HOME=$work/cache
scenario 8s
cat >> "$work/case.toml" << 'END'
[[injector]]
name = "machine_stop"
on = "effect machine_migrate"
after = "10ms"
[[injector]]
name = "vcpu_stall"
on = "progress"
after = "10ms"
[[injector]]
name = "machine_migrate"
END
run --seed 1
expect_code $? 0
expect_line '^pass case: no finding in '
did=$work/runs/case/1/injections.jsonl
for part in machine_stop vcpu_stall machine_migrate; do
  grep -q "\"part\":\"$part\".*\"effect\":true" "$did" || die "$part had no effect: $(cat "$did")"
done
grep -m 1 -B 99 '"part":"machine_stop"' "$did" | grep -q '"part":"machine_migrate".*"effect":true' ||
  die "machine_stop did not wait for machine_migrate: $(cat "$did")"
grep -q 'handed the guest over to process' "$work/runs/case/1/machine.log" || die "no second QEMU"

# Guest-side injectors that count their effects.
scenario 6s
for part in squeeze compact drop_caches cpu_hotplug numa_balance; do
  printf '[[injector]]\nname = "%s"\n' "$part" >> "$work/case.toml"
done
printf '[[workload]]\nname = "churn"\n' >> "$work/case.toml"
run --seed 1
expect_code $? 0
for part in squeeze compact drop_caches cpu_hotplug numa_balance; do
  grep -q "\"ev\":\"part_end\".*\"part\":\"$part\".*\"effects\":[1-9]" "$work/runs/case/2/events.jsonl" ||
    die "$part had no effect"
done

scenario 2s
printf '[[injector]]\nname = "machine_stop"\nafter = "30s"\n' >> "$work/case.toml"
run --seed 1
expect_code $? 3
expect_line '^vacuous case: machine_stop did not run: the phase was over before it had an effect'
