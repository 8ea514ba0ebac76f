#!/usr/bin/env bash
# A guest that runs out of memory fails with the guest to blame.
source "$(dirname "$0")/lib.sh"
need_kernel
scenario 60s 'memory = "128MiB"' 'nodes = 1' 'stall_deadline = "20s"'
printf '[[workload]]\nname = "churn"\namount = "256MiB"\n' >> "$work/case.toml"
run
expect_code $? 1
expect_line '^fail case: the guest kernel reported a fault (\(out_of_memory\|panic\)): '
expect_verdict fail
