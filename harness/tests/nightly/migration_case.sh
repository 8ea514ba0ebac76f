#!/usr/bin/env bash
# A live migration that goes wrong: when the new QEMU is killed, or there is no time left, the guest goes on where it was, and the
# phase says why nothing was migrated; when the old one is killed, the machine is at fault. After each nothing is left.
# shellcheck source-path=SCRIPTDIR source=../system/lib.sh
source "$(dirname "$0")/../system/lib.sh"
need_kernel
export TMPDIR=$work XDG_CACHE_HOME=$work/cache

# qemu ACT: a QEMU that does so where it is to take over a guest, and says which process runs one
qemu() {
  cat > "$work/qemu" << END
#!/bin/sh
case " \$* " in *" -incoming "*) echo \$\$ > $work/new; $1 ;; esac
echo \$\$ > $work/old
exec qemu-system-x86_64 "\$@"
END
  chmod +x "$work/qemu"
}

# migrate LENGTH: a run in which there is time for one migration
migrate() {
  scenario 4s
  printf '[[injector]]\nname = "machine_migrate"\nafter = "500ms"\nperiod = "60s"\nlength = "%s"\n' "$1" >> "$work/case.toml"
  run --qemu "$work/qemu" --seed 1
}

# shellcheck disable=SC2016 # of the QEMU's own shell
qemu 'kill -KILL $$'
migrate 60s
expect_code $? 3
expect_line '^vacuous case: machine_migrate did not run: '
grep -q '"ev":"done"' "$work/runs/case/1/events.jsonl" || die "the guest did not go on"

qemu 'exec sleep 60'
migrate 1s
expect_code $? 3
expect_line '^vacuous case: machine_migrate did not run: .*in time'
grep -q '"ev":"done"' "$work/runs/case/2/events.jsonl" || die "the guest did not go on"

rm -f "$work/new"
migrate 60s &
for _ in $(seq 1000); do
  [ ! -e "$work/new" ] || break
  sleep 0.1
done
kill -KILL "$(cat "$work/old")" || die "no guest to kill"
wait $!
expect_code $? 3
expect_line '^infra case: QEMU was ended by signal 9 (Killed) in the middle of the run'
! kill -0 "$(cat "$work/new")" 2> /dev/null || die "the second QEMU is left"
