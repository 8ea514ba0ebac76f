#!/usr/bin/env bash
# A guest without a program to start is infra.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
need_kernel
scenario 3s
run --append 'rdinit=/nonexistent init=/nonexistent'
expect_code $? 3
expect_line '^infra case: the guest could not start ('
expect_verdict infra
