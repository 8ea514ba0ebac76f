#!/usr/bin/env bash
# A campaign of 200 guests, killed with -9 five times, ends with each run once, its history whole and the report of an undisturbed one:
# the guests are deterministic, so all that is counted in them must be equal. The undisturbed one keeps the host's CPUs busy; what else runs
# there would hide it when it does not. campaign.killed does the same with guests that are played.
# shellcheck source-path=SCRIPTDIR source=../system/lib.sh
source "$(dirname "$0")/../system/lib.sh"
# shellcheck source=../campaign/killed.sh
source "$(dirname "$0")/../campaign/killed.sh"
need_kernel
command -v jq > /dev/null || skip "no jq"
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

kill_and_finish 190 300 0 200
[ "$(sql 'select count(distinct key) from run')" -eq 200 ] || die "a case was repeated"
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
