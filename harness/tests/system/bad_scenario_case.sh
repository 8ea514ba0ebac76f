#!/usr/bin/env bash
# What is wrong in a scenario is told with its line, before anything boots.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
need_kernel
scenario 3s 'cpsu = 4'
run
expect_code $? 2
expect_line "case.toml:3: unknown key \"machine.cpsu\" (did you mean \"cpus\"?)"
scenario 30
run
expect_code $? 2
expect_line 'case.toml:5: "phase.duration": "30" has no unit'
scenario 3s
printf '[[injector]]\nname = "machine_stop"\n' >> "$work/case.toml"
run --deterministic
expect_code $? 2
expect_line 'case: the host.s injector "machine_stop" makes a deterministic run another one each time; leave it out'
scenario 3s
printf '[[injector]]\nname = "%s"\non = "effect %s"\n' machine_stop nmi nmi machine_stop >> "$work/case.toml"
run
expect_code $? 2
expect_line 'case.toml:12: "injector.on": each of machine_stop, nmi waits for an effect of another of them, so none begins; let one begin on'
[ ! -e "$work/runs" ] || die "a run directory was made"
