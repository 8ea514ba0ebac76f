#!/usr/bin/env bash
# A campaign of 200 real guests, two at a time, killed with -9 five times at random: each run is counted once, the history is whole, and
# all that it says of the guests, but for times, is what an undisturbed campaign says. They are deterministic, so that this can be asked.
# The undisturbed one keeps both cores busy.
# shellcheck source-path=SCRIPTDIR source=../system/lib.sh
source "$(dirname "$0")/../system/lib.sh"
need_kernel
command -v sqlite3 > /dev/null || skip "no sqlite3"
export TMPDIR=$work/tmp XDG_CACHE_HOME=$work/cache
mkdir "$TMPDIR"
cat > "$work/quick.toml" << 'END'
title = "churn and reclaim"
[machine]
cpus = 2
memory = "256MiB"
icount = 4
[[phase]]
name = "main"
duration = "3s"
at_least = { loads = 100 }
[[workload]]
name = "churn"
[[injector]]
name = "reclaim"
amount = "256KiB"
[[detector]]
name = "foreign_content"
END
printf 'title = "200 guests"\nscenarios = ["quick.toml"]\nseeds = 100\nrepeats = 1\nguests = 2\n' > "$work/night.toml"
for luf in off on; do printf '[[kernel]]\nname = "%s"\npath = "%s"\nluf = "%s"\n' $luf "$vmlinux" $luf >> "$work/night.toml"; done

# campaign NAME: into the history of that name
campaign() {
  "$lufbed" campaign "$work/night.toml" --history "$work/$1.db" --image-dir "$images" --accel tcg --runs "$work/runs-$1" > "$log" 2>&1
}
sql() { sqlite3 "$work/$1.db" "$2"; }

mapfile -t kills < <(shuf -i 3-190 -n 5 | sort -n)
for runs in "${kills[@]}"; do
  campaign killed &
  pid=$!
  while [ "$(sql killed 'select count(*) from run' 2> /dev/null || echo 0)" -lt "$runs" ] && kill -0 $pid 2> /dev/null; do sleep 0.1; done
  sleep "$((RANDOM % 3)).$((RANDOM % 10))"
  pkill -KILL -P $pid -x lufbed
  wait $pid 2> /dev/null
done
[ "$(sql killed 'select state from campaign')" = running ] || die "it was over before it was killed at ${kills[*]} runs"
campaign killed
code=$?
[ "$(sql killed 'select count(*) from campaign')" -eq 1 ] || die "it did not go on, but began anew"
[ "$(sql killed 'select count(distinct key) from run where attempt = 1')" -eq 200 ] || die "not 200 guests"
[ "$(sql killed 'select count(*) = count(distinct key || attempt) from run')" -eq 1 ] || die "a run counts twice"
[ "$(sql killed 'PRAGMA integrity_check')" = ok ] || die "the history is damaged"

campaign whole
expect_code $? $code
for name in killed whole; do
  "$lufbed" history last --history "$work/$name.db" --ktap "$work/$name.ktap" || die "no report"
  grep -v '# again' "$work/$name.ktap" > "$work/$name"
  sql $name 'select key, attempt, verdict, reason, loads from run order by key, attempt' >> "$work/$name"
done
diff "$work/killed" "$work/whole" > "$work/difference" || { cp "$work/difference" "$log"; die "another report than undisturbed"; }
busy=$(sql whole "select cast(100 * guest_cpu / spent / $(nproc) as integer) from campaign")
own=$(sql whole 'select cast(1000 * harness_cpu / guest_cpu as integer) from campaign')
echo "cores $busy % busy with guests, lufbed itself $own per mille of their CPU time"
[ "$busy" -ge 95 ] || die "guests kept the cores busy for $busy % of the time"
[ "$own" -le 20 ] || die "lufbed took $own per mille of the CPU time of its guests"
