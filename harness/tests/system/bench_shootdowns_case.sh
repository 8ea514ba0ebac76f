#!/usr/bin/env bash
# One short round of every arm gives its tables and the lines that say how they came about; a bar that nothing can meet makes the
# exit code 1.
source "$(dirname "$0")/lib.sh"
need_kernel
mkdir "$work/loads"
cat > "$work/loads/munmap.toml" << 'END'
title = "munmap with threads on all other CPUs"
[machine]
icount = 0
[[phase]]
name = "main"
duration = "20ms"
at_least = { ipi_tlb = 20 }
[[workload]]
name = "map_touch_unmap"
threads = "everywhere"
END
cat > "$work/loads/migrate.toml" << 'END'
title = "migration of a mapped file"
[machine]
icount = 0
[[phase]]
name = "main"
duration = "50ms"
at_least = { pgmigrate_success = 100 }
[[workload]]
name = "shared_file"
size = "1MiB"
[[injector]]
name = "migrate"
cpu = "first"
period = "10us"
END
timeout -k 10 600 "$lufbed" bench shootdowns --scenarios "$work/loads" --boots 1 --cpus 4 --bar 100 --image-dir "$images" \
  --kernel "$vmlinux" --runs "$work/runs" > "$log" 2>&1
expect_code $? 1
expect_line 'control: TLB-shootdown IPIs received per munmap$'
expect_line 'TLB-shootdown IPIs received per migrated page$'
expect_line '^luf strict  *1  *[0-9]'
expect_line '^luf mm-lock  *1  *[0-9]'
expect_line '^seeds  *1 to 1$'
expect_line '^bar .* is not enough$'
