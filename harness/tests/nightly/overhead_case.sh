#!/usr/bin/env bash
# What lufbed takes for itself while real guests run, and whether they keep the cores busy: eight at a time, and as many as a campaign
# would have. Their verdicts do not matter here. Wants a host with nothing else to do.
# shellcheck source-path=SCRIPTDIR source=../system/lib.sh
source "$(dirname "$0")/../system/lib.sh"
need_kernel
for guests in '--jobs 8 --count 8' '--jobs 2 --count 6'; do
  # shellcheck disable=SC2086 # options
  timeout -k 10 1500 "$lufbed" bench overhead $guests --check --image-dir "$images" --kernel "$vmlinux" --runs "$work/runs" > "$log" 2>&1
  expect_code $? 0
  cat "$log"
  expect_line '^bar     holds: '
done
