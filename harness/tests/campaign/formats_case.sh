#!/usr/bin/env bash
# JUnit follows its schema; KTAP is understood by the kernel's own parser; both, and JSON, have every case and its verdict; so has the
# page, which fetches nothing.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
for tool in xmllint jq python3; do command -v $tool > /dev/null || skip "no $tool"; done
more='repeats = 1'
campaign_file 2 on-1 violation flaky idle
# A phase that expects the finding which is a violation elsewhere.
sed 's/^name = "main"/&\nexpect = "R3"/; /^at_least/d' "$source/scenarios/smoke/luf-on.toml" > "$work/planted.toml"
campaign
history last --html "$work/page" || die "no page"
[ "$(grep -o '<circle class="mark"' "$work/page" | wc -l)" -eq 4 ] || die "not a dot for each of 4 violations"
[ "$(grep -c '<details' "$work/page")" -eq 6 ] || die "not 6 cases that are not green"
! grep -qE '<script|(src|href)="[^d]' "$work/page" || die "the page fetches something"
history last --junit "$work/junit.xml" --ktap "$work/ktap" --json "$work/json" > "$work/log" 2>&1 || die "no reports"

sed -i "s#^scenarios = .*#scenarios = [\"planted.toml\"]#; /^\[\[kernel/,\$d" "$work/night.toml"
printf '[[kernel]]\nname = "faulty"\npath = "vmlinux"\nappend = "replay=violation"\n' >> "$work/night.toml"
campaign
expect_code $? 0
history last --html "$work/page" || die "no page of what was planted"
grep -q '<td>R3</td><td>write_under</td><td>2 of 2</td>' "$work/page" || die "the page does not say who saw the planted fault"

# ---- 8 cases: 2 pass, 4 fail, 2 vacuous
jq -r '.runs[].verdict' "$work/json" | sort | uniq -c | tr -s ' \n' ' ' > "$work/log"
expect_line '^ 4 fail 2 pass 2 vacuous $'

xmllint --noout --schema "$here/../data/junit.xsd" "$work/junit.xml" > "$work/log" 2>&1 || die "JUnit does not follow the schema"
for broken in 's/ tests="/ test="/' 's/<failure /<failed /' 's/time="[0-9.]*"/time="soon"/' 's/ name="[^"]*" time/ time/'; do
  sed -E "$broken" "$work/junit.xml" | xmllint --noout --schema "$here/../data/junit.xsd" - > "$work/log" 2>&1 && die "the schema takes $broken"
done
[ "$(xmllint --xpath 'concat(/testsuite/@tests, " ", count(//testcase[failure]), " ", count(//testcase[error]))' "$work/junit.xml")" = "8 4 2" ] ||
  die "JUnit has other verdicts"

# ---- the parser lies in the source that the guest kernel is built from
kunit=$(find "${XDG_CACHE_HOME:-$HOME/.cache}"/lufbed/kernel/source/*/pristine/tools/testing/kunit/kunit.py 2> /dev/null | tail -n 1)
if [ -z "$kunit" ]; then
  package=$(sed -n 's/^package //p' "$source/guest-kernel/pin")
  [ -f "/usr/src/$package.tar.xz" ] || skip "no $package; JUnit was checked"
  xz -T0 -dc "/usr/src/$package.tar.xz" | tar -x -C "$work" --strip-components=1 --wildcards '*/tools/testing/kunit/*.py'
  kunit=$work/tools/testing/kunit/kunit.py
fi
PYTHONDONTWRITEBYTECODE=1 python3 "$kunit" parse "$work/ktap" > "$work/log" 2>&1
expect_line 'Ran 8 tests: passed: 2, failed: 6$'
[ "$(grep -c '\[PASSED\] ' "$work/log")" -eq 2 ] || die "the kernel's parser saw other passes"
