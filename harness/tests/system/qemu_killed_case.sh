#!/usr/bin/env bash
# A QEMU that somebody kills is infra, not a finding.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
need_kernel
scenario 60s
run &
await_event phase_start
kill -KILL "$(qemu_pid | tail -n 1)"
wait $!
expect_code $? 3
expect_line '^infra case: QEMU was ended by signal 9 (Killed) in the middle of the run'
expect_verdict infra
