#!/usr/bin/env bash
# Four shards, merged, are what one campaign is; merging again changes nothing.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
more='repeats = 1'
campaign_file 10 on-1 violation
campaign
history last --ktap "$work/whole"
mv "$work/h.db" "$work/whole.db"
cases=0
for i in 1 2 3 4; do
  "$lufbed" campaign "$work/night.toml" --history "$work/$i.db" --accel tcg --qemu "$here/replay_qemu" --runs "$work/runs" \
    --shard $i/4 --id night-7 > "$work/log" 2>&1
  cases=$((cases + $(grep -oE '^[0-9]+ of [0-9]+ cases' "$work/log" | cut -d' ' -f1)))
done
[ $cases -eq 20 ] || die "the shards ran $cases cases, not 20"
"$lufbed" merge --history "$work/h.db" "$work"/[1-4].db > "$work/log" || die "merge failed"
"$lufbed" merge --history "$work/h.db" "$work"/[1-4].db > "$work/log" || die "the second merge failed"
[ "$(grep -c ': 0 runs added$' "$work/log")" -eq 4 ] || die "merging twice adds runs"
history last --ktap "$work/merged"
diff <(grep -v '# again' "$work/whole") <(grep -v '# again' "$work/merged") || die "not the same results"
history > "$work/log"
expect_line '^1  *night  *night-7 .* finished .* 20 '
campaign --shard 1/4
expect_code $? 2
expect_line '^--shard needs --id'
campaign --shard 5/4 --id x
expect_code $? 2
