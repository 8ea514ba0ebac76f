#!/usr/bin/env bash
# No guest survives a harness that is killed.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
need_kernel
scenario 60s
run &
await_event phase_start
kill -KILL "$(pgrep -f -- "^$lufbed run $work/case.toml")"
wait $!
expect_code $? 137
expect_verdict incomplete
sleep 0.5
