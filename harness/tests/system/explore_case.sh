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

# About one seed in ten meets the race.
timeout -k 10 300 "$lufbed" explore "${guest[@]}" --seeds 100 "$scenarios/race/after_visible.toml" > "$log" 2>&1
expect_code $? 1
expect_line 'violation at seed [0-9]*: R5 by message_passing'
run=$(sed -n 's/^repeat it: .* //p' "$log")
timeout -k 10 600 "$lufbed" minimise "${guest[@]}" --output "$work/minimal.toml" "$run" > "$log" 2>&1
expect_code $? 0
expect_line ': [1-5] of 7 steps are needed'
for step in 'detector message_passing' 'alias_write switched off in phase main'; do expect_line "^  $step\$"; done
timeout -k 10 300 "$lufbed" run "${guest[@]}" "$work/minimal.toml" > "$log" 2>&1
expect_code $? 0
expect_line '^pass minimal: the seeded fault was caught by message_passing as R5'
