#!/usr/bin/env bash
# explore finds a planted race, is silent without it and says what that is worth; minimise keeps the steps that matter, and
# what it writes fails in the same way.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
need_kernel
grep -qa luf_pending_max "$vmlinux" || skip "the kernel has no LUF series"
guest=(--image-dir "$images" --kernel "$vmlinux" --runs "$work/runs")
scenarios=$(dirname "$0")/../../../scenarios

timeout -k 10 300 "$lufbed" explore "${guest[@]}" --seeds 6 "$scenarios/bench/throughput/race.toml" > "$log" 2>&1
expect_code $? 0
expect_line '6 seeds from 1, strategy windows, .* 6 distinct courses'
expect_line 'no violation; with 95 % confidence fewer than 39.30 % of the seeds'

# Of twelve steps three matter: who looks, what is switched off, and one of those that unmap.
sed -e 's/^expect = .*/&\ndelays = { hold = "5us" }/' -e 's/^points_on = .*//' -e 's/100ms/200ms/' \
  -e 's/^points_off = .*/points_off = ["mkwrite", "alias_write", "truncate"]/' "$scenarios/race/after_visible.toml" > "$work/twelve.toml"
printf '[[%s]]\nname = "%s"\nperiod = "20ms"\n' workload churn injector compact injector drop_caches detector unmap_access \
  >> "$work/twelve.toml"
timeout -k 10 300 "$lufbed" explore "${guest[@]}" --seeds 50 "$work/twelve.toml" > "$log" 2>&1
expect_code $? 1
expect_line 'violation at seed [0-9]*: R5 by message_passing'
run=$(sed -n 's/^repeat it: .* //p' "$log")
timeout -k 10 600 "$lufbed" minimise "${guest[@]}" --output "$work/minimal.toml" "$run" > "$log" 2>&1
expect_code $? 0
expect_line ': 3 of 12 steps are needed'
for step in 'detector message_passing' 'alias_write switched off in phase main' 'injector [a-z]*'; do
  expect_line "^  $step\$"
done
# How it came about, as the oracle saw it.
expect_line '^us  *CPU [0-3]'
expect_line 'through the old entry at'
timeout -k 10 300 "$lufbed" run "${guest[@]}" "$work/minimal.toml" > "$log" 2>&1
expect_code $? 0
expect_line '^pass minimal: the seeded fault was caught by message_passing as R5'
