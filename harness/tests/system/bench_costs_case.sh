#!/usr/bin/env bash
# One short round of every arm counts instructions; an arm with a kernel of its own, here the same one, costs what it costs.
source "$(dirname "$0")/lib.sh"
need_kernel
mkdir "$work/loads"
cat > "$work/loads/anon-fault.toml" << 'END'
title = "page faults"
[machine]
icount = 0
[[phase]]
name = "main"
duration = "20ms"
[[workload]]
name = "map_touch_unmap"
id = "load"
END
timeout -k 10 600 "$lufbed" bench costs --scenarios "$work/loads" --boots 1 --vanilla "$vmlinux" --bar 5 --image-dir "$images" \
  --kernel "$vmlinux" --runs "$work/runs" > "$log" 2>&1
expect_code $? 0
expect_line 'anon-fault: instructions per operation, all CPUs$'
expect_line '^vanilla  *1  *[1-9]'
expect_line '^luf mm-lock  *1  *[1-9]'
expect_line '^bar .* is within 5.000 %$'
