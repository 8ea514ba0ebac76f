#!/usr/bin/env bash
# With 8 guests at a time lufbed stays within its memory. Recorded guests take next to no CPU time, so that its bar is missed.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
"$lufbed" bench overhead --count 24 --kernel "$work/vmlinux" --qemu "$here/replay_qemu" --runs "$work/runs" --check > "$log" 2>&1
expect_code $? 1
expect_line '^24 guests of smoke/luf-on, 4 vCPUs, 8 at a time: .*; 24 pass$'
expect_line '^bar     is missed: at most 2 % of CPU time, at most 100MiB, cores at least 95 % busy$'
memory=$(sed -nE 's/^memory  lufbed ([0-9]+)\..* MiB at most$/\1/p' "$log")
[ "$memory" -le 100 ] || die "$memory MiB"
