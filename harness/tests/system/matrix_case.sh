#!/usr/bin/env bash
# The matrix tells a fault that is seen from one that is not, and an idle scenario from a silent one.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
need_kernel

matrix() {
  timeout -k 10 400 "$lufbed" matrix "$@" --image-dir "$images" --kernel "$vmlinux" --runs "$work/runs" > "$log" 2>&1
}
scenarios=$(dirname "$0")/../../../scenarios

matrix "$scenarios/litmus/alias_migrate.toml" "$scenarios/selftest/unmap.toml" --silent 4s --html "$work/m.html" --json "$work/m.json"
code=$?
! grep -q 'has no LUF series' "$log" || skip "the kernel has no LUF series"
expect_code $code 0
expect_line '^alias_write .* R5 .* 1/1 .* litmus '
expect_line '^unmap .* R1 .* 1/1 .* unmap_access '
expect_line '^without a fault: 2 phases of 1 seeds, .*silent; a false alarm comes in fewer than 3/n = 1.5 '
grep -q '"exit_code": 0' "$work/m.json" || die "bad JSON"
grep -q '<td>unmap_access</td>' "$work/m.html" || die "bad page"

# A fault that this detector cannot see is a hole, with its name.
sed -e 's/points_off = .*/points_off = ["uffd"]/' -e 's/duration = "30s"/duration = "2s"/' \
  "$scenarios/selftest/unmap.toml" > "$work/case.toml"
matrix "$work/case.toml" --silent 2s
expect_code $? 1
expect_line '^hole: fault uffd: seen in 0 of 1 guests of case; seed 1: the seeded fault was not caught'

# The oracle sees it by itself, and nothing where nothing is planted.
matrix "$scenarios/selftest/unmap.toml" --agreement --silent 2s
expect_code $? 0
expect_line '^unmap  *selftest/unmap  *R1  *R1.* 1/1  *.*R1.* 1/1  *R1.* 1/1$'
expect_line '^none, 1 phases  *\.  *\.  *\.$'

# A fault of Linux's own flushes, of which the kernel's checks know nothing: the litmus test tells of its promise.
matrix "$scenarios/litmus/past_dirty.toml" --agreement --silent 1s
expect_code $? 0
expect_line '^past_dirty  *litmus/past_dirty  *R7  *R7 1/1  *\.  *R7 1/1$'
expect_line '^none, 1 phases  *\.  *\.  *\.$'

# Without injectors nothing is deferred, and nothing may be concluded.
matrix "$scenarios/selftest/unmap.toml" --idle --silent 2s
expect_code $? 0
expect_line '^selftest/unmap  *vacuous '

# A run that is made deterministic gets an age bound that suits it, but with LUF off needs nothing of the kernel.
for mode in --no-faults --baseline; do
  matrix "$scenarios/smoke/luf-on.toml" $mode --deterministic --silent 2s
  expect_code $? 0
done
grep -q '^age = "200ms"$' "$work/runs/smoke/luf-on/1/scenario.toml" || die "no age bound"
! grep -q '^age' "$work/runs/smoke/luf-on/2/scenario.toml" || die "a kernel without LUF would be skipped"
