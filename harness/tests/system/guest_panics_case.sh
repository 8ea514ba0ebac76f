#!/usr/bin/env bash
# A panic of the guest's kernel fails with the guest to blame.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
need_kernel
hungry_scenario
run --append 'sysctl.vm.panic_on_oom=2'
expect_code $? 1
expect_line '^fail case: the guest kernel reported a fault (panic): Kernel panic - not syncing: '
expect_verdict fail
grep -q '"blame": "guest"' "$work/runs/case/1/verdict" || die "the guest is not blamed"
