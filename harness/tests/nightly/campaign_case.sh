#!/usr/bin/env bash
# A campaign of 200 guests, killed with -9 five times, ends with each run once, its history whole and the report of an undisturbed one:
# the guests are deterministic, so all that is counted in them must be equal. The undisturbed one keeps the host's CPUs busy; what else runs
# there would hide it when it does not. campaign.killed does the same with guests that are played.
# shellcheck source-path=SCRIPTDIR source=../system/lib.sh
source "$(dirname "$0")/../system/lib.sh"
need_kernel
for tool in sqlite3 jq; do command -v $tool > /dev/null || skip "no $tool"; done
export TMPDIR=$work/tmp XDG_CACHE_HOME=$work/cache
mkdir "$TMPDIR"

scenario 2s 'icount = 4'
printf '[kernel]\nluf = "on"\nage = "200ms"\n[[injector]]\nname = "migrate"\n' >> "$work/case.toml"
cat > "$work/night.toml" << NIGHT
title = "200 guests"
scenarios = ["case.toml"]
seeds = 100
guests = $(nproc)
[[kernel]]
name = "off"
path = "$vmlinux"
luf = "off"
[[kernel]]
name = "on"
path = "$vmlinux"
NIGHT

campaign() {
  "$lufbed" campaign "$work/night.toml" --history "$work/h.db" --image-dir "$images" --accel tcg --runs "$work/runs" > "$log" 2>&1
}

sql() { sqlite3 "$work/h.db" "$1"; }

# report NAME: what the history says of the campaign, but for times and places
report() {
  "$lufbed" history last --history "$work/h.db" --json "$work/json" --html "$work/html" --ktap "$work/$1.ktap" || die "no report"
  [ "$(stat -c %s "$work/html")" -le $((5 << 20)) ] || die "the page has $(stat -c %s "$work/html") bytes"
  jq -S '[.runs[] | del(.directory, .seconds)] | sort' "$work/json" > "$work/$1.json"
}

# Ticks for which the host's CPUs had nothing to do, or waited for a disk.
idle() { awk '/^cpu / { print $5 + $6 }' /proc/stat; }

for runs in $(shuf -i 3-190 -n 5 | sort -n); do
  campaign &
  while [ "$(sql "select count(*) from run" 2> /dev/null || echo 0)" -lt "$runs" ] && kill -0 $! 2> /dev/null; do sleep 0.1; done
  sleep "$((RANDOM % 3)).$((RANDOM % 10))"
  pkill -KILL -f -- "^$lufbed campaign $work/night.toml"
  wait $! 2> /dev/null
done
[ "$(sql 'select state from campaign')" = running ] || die "it was over before it was killed"
campaign
expect_code $? 0
[ "$(sql 'select count(*) from campaign')" -eq 1 ] || die "it did not go on, but began anew"
[ "$(sql 'select count(*), count(distinct key) from run')" = '200|200' ] || die "not each run once: $(sql 'select count(*) from run')"
[ "$(sql 'PRAGMA integrity_check')" = ok ] || die "the history is damaged"
report killed

mv "$work/h.db" "$work/killed.db"
began=$EPOCHREALTIME idle_before=$(idle)
campaign
expect_code $? 0
ended=$EPOCHREALTIME idle_after=$(idle)
cp "$log" "$work/whole.log"
report whole
for form in json ktap; do cmp "$work/killed.$form" "$work/whole.$form" || die "another report than undisturbed"; done
[ -z "$(find "$TMPDIR" -mindepth 1)" ] || die "left: $(find "$TMPDIR" -mindepth 1 -maxdepth 1)"

busy=$((100 - 100 * (idle_after - idle_before) * 1000000 / $(getconf CLK_TCK) / $(nproc) / (${ended/./} - ${began/./})))
echo "the CPUs were busy for $busy % of $(((${ended/./} - ${began/./}) / 1000000)) s; $(grep '^CPU time: ' "$work/whole.log")"
[ "$busy" -ge 95 ] || die "the bar is 95 %"
