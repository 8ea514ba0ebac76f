#!/usr/bin/env bash
# The second Ctrl-C ends everything at once; QEMU dies along, also when it does not listen.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
need_kernel
scenario 60s
run &
wrapper=$!
await_event phase_start
harness=$(pgrep -f -- "^$lufbed run $work/case.toml")
kill -STOP "$(qemu_pid | grep -v "$harness" | tail -n 1)"
kill -INT "$harness"
sleep 1
kill -INT "$harness"
wait $wrapper
expect_code $? 130
expect_line '^stopped at once'
expect_verdict incomplete
sleep 0.5
