#!/usr/bin/env bash
# A damaged history, a full disk, a second campaign, a clock that went back, a bad file: one clear line each, nothing lost.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
command -v sqlite3 > /dev/null || skip "no sqlite3"
campaign_file 2 on-1
campaign
expect_code $? 0
cp "$work/h.db" "$work/good.db"

printf 'garbage' | dd of="$work/h.db" bs=1 seek=0 conv=notrunc 2> /dev/null
campaign
expect_code $? 3
expect_lines 1
expect_line 'h.db is damaged: file is not a database; put a copy back'
cp "$work/good.db" "$work/h.db"
dd if=/dev/urandom of="$work/h.db" bs=4096 seek=2 count=6 conv=notrunc 2> /dev/null
campaign --id again
expect_code $? 3
expect_lines 1
expect_line 'h.db is damaged: '
cp "$work/good.db" "$work/h.db"

campaign_file 1 slow
# Whoever has the lock writes its process there. Trying the lock would be to hold it when the campaign wants it.
holder=$(cat "$work/h.db.lock")
campaign --id slow &
for _ in $(seq 100); do
  [ "$(cat "$work/h.db.lock")" = "$holder" ] || break
  sleep 0.02
done
"$lufbed" campaign "$work/night.toml" --history "$work/h.db" > "$work/second" 2>&1
[ $? -eq 3 ] || die "a second campaign on one history was let in"
grep -q 'h.db is in use by another campaign (process [0-9]*); wait for it' "$work/second" || die "$(cat "$work/second")"
wait

sql 'update campaign set ended = ended + 7200'
campaign_file 1 on-1
campaign --id back
expect_code $? 0
expect_line "^the host's clock is 7[12][0-9]* s behind the last run of this history"
history | grep -q '^3 .* back ' || die "order was lost"

history nowhere > "$work/log" 2>&1
expect_code $? 2
expect_line '^no campaign "nowhere" in the history; use a number from 1 to 3'
"$lufbed" history --history "$work/none.db" > "$work/log" 2>&1
expect_code $? 2
expect_line '^no history .*none.db: '

printf 'title = "x"\nscenarios = ["smoke"]\nseed = 3\n[[kernel]]\nname = "a"\n' > "$work/night.toml"
campaign
expect_code $? 2
expect_line 'night.toml:3: unknown key "seed" (did you mean "seeds"?)'
expect_line 'night.toml:4: a kernel has either "kernel.path" or "kernel.variant" or "kernel.tree"'

[ "$(id -u)" -eq 0 ] || skip "the rest needs root to mount a small tmpfs"
mkdir "$work/full"
mount -t tmpfs -o size=128k tmpfs "$work/full" || skip "cannot mount a tmpfs here"
campaign_file 60 on-1
"$lufbed" campaign "$work/night.toml" --history "$work/full/h.db" --accel tcg --qemu "$here/replay_qemu" --runs "$work/runs" \
  > "$work/log" 2>&1
expect_code $? 3
expect_line 'the disk of the history .*full/h.db is full; free some space and run the same command again'
mount -o remount,size=16m "$work/full"
"$lufbed" campaign "$work/night.toml" --history "$work/full/h.db" --accel tcg --qemu "$here/replay_qemu" --runs "$work/runs" \
  > "$work/log" 2>&1
expect_code $? 0
expect_line '^60 of 60 cases: 60 pass; 60 runs, '
[ "$(sql 'PRAGMA integrity_check' "$work/full/h.db")" = ok ] || die "the history is damaged"
