#!/usr/bin/env bash
# The KUnit suite of the series passes in a guest; a suite that is not there is a failure, a kernel without KUnit a skip.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
need_kernel
kunit() { timeout -k 10 400 "$lufbed" kunit --image-dir "$images" --kernel "$vmlinux" "$@" > "$log" 2>&1; }
kunit
code=$?
# The kernel built here has the suite; one that was brought need not.
[ $code -ne 77 ] || [ -z "${LUFBED_TEST_KERNEL-}" ] || skip "$(cat "$log")"
expect_code $code 0
expect_line '^suite luf: [1-9][0-9]* passed, 0 failed, [0-9]* skipped$'
cat "$log"
kunit --suite no_such_suite
expect_code $? 1
expect_line 'no_such_suite is not in this kernel'
