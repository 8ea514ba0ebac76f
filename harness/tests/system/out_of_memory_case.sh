#!/usr/bin/env bash
# A guest that runs out of memory fails with the guest to blame.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
need_kernel
hungry_scenario
run
expect_code $? 1
expect_line '^fail case: the guest kernel reported a fault (out_of_memory): Out of memory: Killed process '
expect_verdict fail
