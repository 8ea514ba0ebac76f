#!/usr/bin/env bash
# Every scenario of smoke and selftest has the verdict that scenarios.smoke and scenarios.selftest see with our own QEMU, `pass`, when
# libvirt runs the guest: through its driver inside lufbed, and through a daemon that is started here.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
need_kernel
scenarios=$(cd "$(dirname "$0")/../../../scenarios" && pwd)
all=("$scenarios"/smoke/*.toml "$scenarios"/selftest/*.toml)

# virt ARG...: runs scenarios by libvirt
virt() {
  timeout -k 10 1200 "$lufbed" run "$@" --image-dir "$images" --kernel "$vmlinux" --accel tcg --jobs 1 --runs "$work/runs" \
    --machine libvirt > "$log" 2>&1
}

# all_pass [ARG...]: time is the host's here, and a host that has none for the guest makes a run vacuous or leaves a planted fault
# unseen. Such runs are told and done again, once; any other verdict stands.
all_pass() {
  local again
  virt "${all[@]}" "$@"
  [ "$(grep -cE '^[a-z_]+ (smoke|selftest)/' "$log")" -eq ${#all[@]} ] || die "not every scenario has a verdict"
  mapfile -t again < <(sed -nE "s|^[a-z]+ (.*): phase [a-z]+: (too little activity\|the seeded fault was not caught).*|$scenarios/\1.toml|p" "$log")
  [ $((${#again[@]} + $(grep -cE '^pass (smoke|selftest)/' "$log"))) -eq ${#all[@]} ] || die "not all passed"
  [ ${#again[@]} -gt 0 ] || return 0
  grep -vE '^pass ' "$log"
  virt "${again[@]}" "$@" || die "not all passed the second time"
}

export TMPDIR=$work
all_pass
grep -q '<name>lufbed-' "$work/runs/selftest/poison/1/domain.xml" || die "no domain.xml"
compgen -G "$work/lufbed-virt-*" > /dev/null && die "the driver's directory is left"

virt "${all[0]}" --connect "qemu+unix:///system?socket=$work/none"
expect_code $? 3
[ "$(wc -l < "$log")" -eq 1 ] || die "not one line"
expect_line "^cannot connect to libvirt at qemu+unix:///system?socket=$work/none: .*No such file or directory"
virt "${all[0]}" --connect test:///default
expect_code $? 3
expect_line '^libvirt at test:///default runs no QEMU guests'

start_libvirtd || skip "only root can start a libvirtd in a place of its own; the embedded driver passed"
all_pass --connect "$daemon_uri"

# A killed harness takes its guest with it: the daemon destroys what belonged to the connection.
scenario 60s
virt "$work/case.toml" --connect "$daemon_uri" &
for _ in $(seq 300); do
  grep -qs '"ev":"phase_start"' "$work/runs/case/1/events.jsonl" && break
  sleep 0.2
done
kill -KILL "$(pgrep -f -- "^$lufbed run $work/case.toml")"
wait $!
for _ in $(seq 100); do
  pgrep -f -- "qemu-system.*$work/runs" > /dev/null || exit 0
  sleep 0.2
done
die "a guest is left after its harness was killed"
