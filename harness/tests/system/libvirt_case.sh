#!/usr/bin/env bash
# Guests run by libvirt get the verdict that our own QEMU gives them: through the driver inside lufbed, and through a
# daemon that is started here. A silent scenario, and one that finds its planted fault; nightly.libvirt has all.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
need_kernel
smoke=$(dirname "$0")/../../../scenarios/smoke/luf-on.toml
selftest=$(dirname "$0")/../../../scenarios/selftest

# virt ARG...: runs scenarios by libvirt
virt() {
  timeout -k 10 400 "$lufbed" run "$@" --image-dir "$images" --kernel "$vmlinux" --accel tcg --runs "$work/runs" \
    --machine libvirt > "$log" 2>&1
}

export TMPDIR=$work
virt "$smoke" "$selftest/poison.toml"
expect_code $? 0
expect_line '^pass smoke/luf-on: no finding in '
expect_line '^pass selftest/poison: control: no finding in .*was caught by foreign_content as R8'
grep -q '<name>lufbed-' "$work/runs/selftest/poison/1/domain.xml" || die "no domain.xml"
compgen -G "$work/lufbed-virt-*" > /dev/null && die "the driver's directory is left"

virt "$smoke" --connect "qemu+unix:///system?socket=$work/none"
expect_code $? 3
[ "$(wc -l < "$log")" -eq 1 ] || die "not one line"
expect_line "^cannot connect to libvirt at qemu+unix:///system?socket=$work/none: .*No such file or directory"
virt "$smoke" --connect test:///default
expect_code $? 3
expect_line '^libvirt at test:///default runs no QEMU guests'

start_libvirtd || skip "only root can start a libvirtd in a place of its own; the embedded driver passed"
virt "$smoke" "$selftest/alias_write.toml" --connect "$daemon_uri"
expect_code $? 0
expect_line '^pass smoke/luf-on: no finding in '
expect_line '^pass selftest/alias_write: control: no finding in .*was caught by alias_store as R'

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
