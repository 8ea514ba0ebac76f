#!/usr/bin/env bash
# The oracle changes nothing, is silent on a right kernel, and sees a frame that is reused too early without any detector's
# word: the verdict on the fault is its own.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
need_kernel
# try NAME ORACLE: runs $work/NAME.toml; its run directory is $work/ORACLE/NAME/1.
try() {
  timeout -k 10 400 "$lufbed" run "$work/$1.toml" --image-dir "$images" --kernel "$vmlinux" --runs "$work/$2" \
    --oracle "$2" > "$log" 2>&1
}

cat > "$work/same.toml" << 'END'
title = "a run that can be repeated"
[machine]
icount = 3
cpus = 2
[[phase]]
name = "main"
duration = "200ms"
[[workload]]
name = "churn"
[[injector]]
name = "reclaim"
[[detector]]
name = "unmap_access"
END
for level in off violations full; do
  try same "$level"
  expect_code $? 0
done
for level in violations full; do
  for file in events.jsonl console.log; do
    cmp "$work/off/same/1/$file" "$work/$level/same/1/$file" || die "level $level changes $file"
  done
  grep -q 'window [1-9][0-9]* .*violation 0 unknown 0$' "$work/$level/same/1/oracle.txt" ||
    die "level $level: $(sed -n 2p "$work/$level/same/1/oracle.txt")"
done

grep -q luf_hold "$(dirname "$vmlinux")/System.map" 2> /dev/null || exit 0  # no series: nothing to plant a fault in
cat > "$work/fault.toml" << 'END'
title = "frames are reused before they are flushed"
[kernel]
luf = "on"
points_off = ["full", "age", "drain"]
[[phase]]
name = "main"
duration = "8s"
[[workload]]
name = "churn"
[[injector]]
name = "reclaim"
[[injector]]
name = "migrate"
[[detector]]
name = "foreign_content"
END
try fault violations
expect_code $? 1
report=$work/violations/fault/1/oracle.txt
for line in '^==== R8, [0-9]* times: a load through an entry that is not true' 'access:  CPU [0-9] (task foreign_content' \
  'by CPU [0-9] (task .*at try_to_unmap_one+\|by CPU [0-9] (task .*at try_to_migrate_one+' 'the unmapper went on without its flush'; do
  grep -q "$line" "$report" || die "the report has no line with: $line"
done
