#!/usr/bin/env bash
# A kernel that is not there is the user's mistake.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
scenario 3s
vmlinux=$work/nowhere
run
expect_code $? 2
expect_line "^no such kernel: cannot open $work/nowhere: No such file or directory$"
