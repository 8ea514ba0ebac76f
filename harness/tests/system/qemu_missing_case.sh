#!/usr/bin/env bash
# Without QEMU nothing runs, and the line says so.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
need_kernel
scenario 3s
run --qemu "$work/no-qemu"
expect_code $? 3
expect_line "^cannot start $work/no-qemu: No such file or directory; install QEMU"
