#!/usr/bin/env bash
# A campaign of 200 guests, killed with -9 five times at random, ends with each run once, its history whole, and the report of an
# undisturbed one.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
command -v sqlite3 > /dev/null || skip "no sqlite3"
more=$'repeats = 1\nguests = 4'
campaign_file 50 off-1 on-1 on-2 violation
mapfile -t kills < <(shuf -i 5-240 -n 5 | sort -n)
for runs in "${kills[@]}"; do
  campaign &
  pid=$!
  while [ "$(sql "select count(*) from run" 2> /dev/null || echo 0)" -lt "$runs" ] && kill -0 $pid 2> /dev/null; do sleep 0.05; done
  sleep "0.0$((RANDOM % 10))"
  # The program itself: the shell around it is another process.
  pkill -KILL -P $pid -x lufbed || kill -KILL $pid
  wait $pid 2> /dev/null
done
[ "$(sql 'select state from campaign')" = running ] || die "it was over before it was killed at ${kills[*]} runs"
campaign
expect_code $? 1
[ "$(sql 'select count(*) from campaign')" -eq 1 ] || die "it did not go on, but began anew"
[ "$(sql 'select count(*), count(distinct key || attempt) from run')" = '250|250' ] || die "not each run once: $(sql 'select count(*) from run')"
[ "$(sql 'PRAGMA integrity_check')" = ok ] || die "the history is damaged"
report() { history last --ktap "$work/$1.ktap" && grep -v '# again' "$work/$1.ktap" > "$work/$1"; }
report killed
mv "$work/h.db" "$work/killed.db"
campaign
report whole
cmp "$work/killed" "$work/whole" || die "another report than undisturbed"
