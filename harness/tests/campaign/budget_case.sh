#!/usr/bin/env bash
# A budget ends a campaign between guests, and says so; the exit code is that of what has run.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
more='budget = "3s"'
campaign_file 20 slow
campaign
expect_code $? 0
expect_line 'its budget is spent$'
expect_line '^[1-4] of 20 cases: [1-4] pass; '
