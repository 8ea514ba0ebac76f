#!/usr/bin/env bash
# The page of a campaign of 200 guests is at most 5 MiB, and a real browser shows it without a word on its console.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || skip "no chromium"
more=$'repeats = 0\nguests = 8'
campaign_file 50 off-1 on-1 violation idle
campaign
expect_line '^200 of 200 cases: 50 fail, 50 vacuous, 100 pass; 200 runs, '
history last --html "$work/page.html" || die "no page"
[ "$(stat -c %s "$work/page.html")" -le $((5 << 20)) ] || die "$(stat -c %s "$work/page.html") bytes"

# visit FILE ARG...: opens it; what it says on its console goes to $log
visit() {
  local file=$1
  shift
  timeout 120 "$browser" --headless --no-sandbox --disable-gpu --user-data-dir="$work/profile" --enable-logging=stderr \
    --host-resolver-rules='MAP * ~NOTFOUND' "$@" "file://$file" > "$work/said" 2> "$work/noise" ||
    { cp "$work/noise" "$log"; die "the browser ended with $?"; }
  grep CONSOLE "$work/noise" > "$log"
}

visit "$work/page.html" --dump-dom
expect_lines 0
[ "$(grep -c '<details' "$work/said")" -eq 100 ] || die "not 100 cases that are not green"
grep -q '<th>scenario</th><th>idle · strict · 4 CPUs</th>' "$work/said" || die "the browser saw another page"
visit "$work/page.html" --print-to-pdf="$work/page.pdf"
expect_lines 0
[ "$(head -c 5 "$work/page.pdf")" = %PDF- ] || die "it cannot be printed"
# The console is really looked at.
sed 's#</body>#<script src="https://example.org/x.js"></script><script>nothing()</script></body>#' "$work/page.html" > "$work/bad.html"
visit "$work/bad.html" --dump-dom
expect_line 'nothing is not defined'
