#!/usr/bin/env bash
# What fails is repeated and stays a failure, k of n; the next night begins with it; finished cases are not run again.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
more='repeats = 4'
campaign_file 1 on-1 flaky
campaign --id one
expect_code $? 1
expect_line '^fail smoke/luf-on · flaky · strict · 4 CPUs · seed 1: R3 violated'
expect_line '^    3 of 5 runs were not green$'
expect_line '^1 cases were repeated; 1 of them did not come out the same each time$'
expect_line '^2 of 2 cases: 1 fail, 1 pass; 6 runs, '
campaign --id one
expect_code $? 1
grep -q '^1 of ' "$work/log" && die "a finished campaign ran something"
campaign --id two
expect_line '^1 of [0-9]*: pass smoke/luf-on · flaky' # first, since it failed the last time
history --findings > "$work/log"
expect_line ' R3  *write_under  *3  *1  *1  *6.12.0-replay'
