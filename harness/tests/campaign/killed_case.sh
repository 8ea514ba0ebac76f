#!/usr/bin/env bash
# A campaign of 200 guests, killed with -9 five times at random, ends with each run once, its history whole, and the report of an
# undisturbed one.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
# shellcheck source=killed.sh
source "$(dirname "$0")/killed.sh"
more=$'repeats = 1\nguests = 4'
campaign_file 50 off-1 on-1 on-2 violation
kill_and_finish 240 10 1 250
report() { history last --ktap "$work/$1.ktap" && grep -v '# again' "$work/$1.ktap" > "$work/$1"; }
report killed
mv "$work/h.db" "$work/killed.db"
campaign
report whole
cmp "$work/killed" "$work/whole" || die "another report than undisturbed"
