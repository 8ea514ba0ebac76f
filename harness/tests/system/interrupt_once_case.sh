#!/usr/bin/env bash
# The first Ctrl-C stops the guest and still reports.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
need_kernel
scenario 60s
cp "$work/case.toml" "$work/later.toml"
timeout -k 10 400 "$lufbed" run "$work/case.toml" "$work/later.toml" --image-dir "$images" --kernel "$vmlinux" --accel tcg \
  --runs "$work/runs" > "$log" 2>&1 &
pid=$!
await_event phase_start
kill -INT "$(pgrep -P $pid)"
wait $pid
expect_code $? 130
expect_line '^infra case: cancelled by the user'
expect_verdict infra
[ ! -e "$work/runs/later" ] || die "the next scenario was begun"
