#!/usr/bin/env bash
# A plain run passes, with a complete run directory.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
need_kernel
scenario 3s
run --json "$work/j.json" --junit "$work/j.xml"
expect_code $? 0
expect_line '^pass case: no finding in '
expect_verdict pass
for file in scenario.toml manifest.json console.log events.jsonl findings.json metrics.json verdict repro; do
  [ -s "$work/runs/case/1/$file" ] || die "$file is missing or empty"
done
grep -q 'tests="1" failures="0" errors="0"' "$work/j.xml" || die "bad JUnit file"
