#!/usr/bin/env bash
# A QEMU that stands still is told from a guest that hangs, and is killed.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
need_kernel
scenario 60s 'stall_deadline = "5s"'
run &
await_event phase_start
kill -STOP "$(qemu_pid | tail -n 1)"
wait $!
expect_code $? 3
expect_line '^infra case: no event for 5s, and QEMU itself does not answer'
expect_verdict infra
grep -q 'sent SIGKILL' "$work/runs/case/1/machine.log" || die "the escalation is not logged"
