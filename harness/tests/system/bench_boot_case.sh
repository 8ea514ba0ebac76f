#!/usr/bin/env bash
# One pair of boots gives both numbers and their ratio; a bar that nothing can meet makes the exit code 1.
source "$(dirname "$0")/lib.sh"
need_kernel
[ -f "$images/bare.cpio" ] || skip "no bare initramfs beside the image"
TMPDIR=$work timeout -k 10 400 "$lufbed" bench boot --pairs 1 --bar 0.01 --image-dir "$images" --kernel "$vmlinux" > "$log" 2>&1
expect_code $? 1
expect_line '^lufbed, ms  *1  *[1-9][0-9]* '
expect_line '^bare, ms  *1  *[1-9][0-9]* '
expect_line '^ratio  *1  *[0-9.][0-9.]* '
expect_line '^bar .* is above 0.010'
[ -z "$(ls -d "$work"/lufbed-* 2> /dev/null)" ] || die "files of the guests are left"
