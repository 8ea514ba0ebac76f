#!/usr/bin/env bash
# A run that failed is cloned, repeated exactly, packed, stopped at its violation by gdb; what does not fit is refused.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
need_kernel
grep -qa luf_pending_max "$vmlinux" || skip "the kernel has no LUF series"
# Templates of the test's own.
export XDG_CACHE_HOME=$work/cache
guest=(--image-dir "$images" --kernel "$vmlinux" --runs "$work/runs")
race=$(dirname "$0")/../../../scenarios/race/after_visible.toml
sed -e 's/points_on = .*//' "$race" > "$work/race.toml" # without any flush: every seed meets it

timeout -k 10 300 "$lufbed" run "${guest[@]}" "$work/race.toml" > "$log" 2>&1
expect_code $? 0
expect_line '^pass race: the seeded fault was caught by message_passing as R5'
[ -s "$work/runs/race/1/digest.json" ] || die "no digest"
grep -q '"cloned": true' "$work/runs/race/1/manifest.json" || die "the guest was not cloned"

timeout -k 10 300 "$lufbed" repro "${guest[@]}" --times 3 "$work/runs/race/1" > "$log" 2>&1
expect_code $? 0
expect_line '3 of 3 repeats have the digest'
expect_line 'the same violation, fingerprint [0-9a-f]\{12\}'

# Whenever the host holds up the thread of the virtual CPUs, nothing of it is seen.
hesitate=$(cd "$(dirname "$lufbed")/../harness/tests" && pwd)/luf-hesitate.so
[ -f "$hesitate" ] || die "no $hesitate"
# shellcheck disable=SC2016 # for the script
printf '#!/bin/bash\nLD_PRELOAD=$LD_PRELOAD:%s exec qemu-system-x86_64 "$@"\n' "$hesitate" > "$work/hesitant-qemu"
chmod +x "$work/hesitant-qemu"
timeout -k 10 300 "$lufbed" repro "${guest[@]}" --qemu "$work/hesitant-qemu" --times 4 "$work/runs/race/1" > "$log" 2>&1
expect_code $? 0
expect_line '4 of 4 repeats have the digest'

"$lufbed" pack "$work/runs/race/1" --output "$work/race.lufbed" > "$log" 2>&1
expect_code $? 0
# The oracle watches the same run, and sees by its own evidence what the detector saw.
timeout -k 10 300 "$lufbed" repro "${guest[@]}" --oracle violations "$work/runs/race/1" > "$log" 2>&1
expect_code $? 0
expect_line '^oracle: .*violation [1-9].*, unknown 0 of'
expect_line '1 of 1 repeats have the digest'

# Where no template is, as on another machine, one is made that comes to the same.
XDG_CACHE_HOME=$work/elsewhere timeout -k 10 300 "$lufbed" repro "${guest[@]}" "$work/race.lufbed" > "$log" 2>&1
expect_code $? 0
expect_line '1 of 1 repeats have the digest'

# shellcheck disable=SC2016 # gdb's own variable
if command -v gdb > /dev/null; then
  timeout -k 10 300 "$lufbed" repro "${guest[@]}" --gdb --batch --gdb-command 'info threads' --gdb-command 'info symbol $pc' \
    --gdb-command 'info symbol flush_tlb_mm_range' "$work/runs/race/1" > "$log" 2>&1
  expect_code $? 0
  expect_line 'CPU#3'
  expect_line '^luf_violation in section .text'
  expect_line '^flush_tlb_mm_range in section .text'
fi

# What does not fit is told in one line, and nothing runs.
before=$(find "$work/runs" -mindepth 2 -maxdepth 2 | wc -l)
refuse() {
  local code=$1 line=$2
  shift 2
  "$lufbed" repro "${guest[@]}" "$@" > "$log" 2>&1
  expect_code $? "$code"
  expect_line "$line"
  [ "$(wc -l < "$log")" -eq 1 ] || die "more than one line"
}
refuse 2 'no run directory: ' "$work/nothing"
cp -r "$work/runs/race/1" "$work/other"
sed -i 's/"initramfs_sha256": "[0-9a-f]*"/"initramfs_sha256": "00"/' "$work/other/manifest.json"
refuse 3 'the run used the guest image' "$work/other"
cp "$work/runs/race/1/manifest.json" "$work/other/"
sed -i 's/QEMU emulator version [0-9.]*/QEMU emulator version 1.2.3/' "$work/other/manifest.json"
refuse 3 'QEMU emulator version 1.2.3' "$work/other"
cp "$work/runs/race/1/manifest.json" "$work/other/"
sed -i '/"kernel": {/,/}/ s/"hash": "[0-9a-f]*"/"hash": "00"/' "$work/other/manifest.json"
refuse 3 'the run used kernel 00' "$work/other"
sed 's/R5/R6/' "$work/race.lufbed" > "$work/damaged.lufbed"
refuse 2 'is damaged' "$work/damaged.lufbed"
[ "$(find "$work/runs" -mindepth 2 -maxdepth 2 | wc -l)" -eq "$before" ] || die "something was run"

# A difference is the machine's fault and names the event.
sed -i 's/"loads":/"loads_":/' "$work/other/events.jsonl"
cp "$work/runs/race/1/manifest.json" "$work/other/"
sed -i 's/"events": "../"events": "zz/' "$work/other/digest.json"
"$lufbed" repro "${guest[@]}" "$work/other" > "$log" 2>&1
expect_code $? 3
expect_line 'a deterministic run differs from its repeat: event [0-9]* was '
