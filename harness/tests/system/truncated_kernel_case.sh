#!/usr/bin/env bash
# A kernel file without its end is found before anything boots.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
need_kernel
scenario 3s
head -c 3000000 "$vmlinux" > "$work/vmlinux"
vmlinux=$work/vmlinux
run
expect_code $? 3
expect_line '^truncated kernel '
