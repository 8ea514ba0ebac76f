#!/usr/bin/env bash
# A real Prometheus scrapes the server; its counters survive a restart; every query of the dashboards and the alerts has data.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
# shellcheck source=prometheus.sh
source "$(dirname "$0")/prometheus.sh"
promtool check rules "$rules/alerts.yml" > "$work/log" 2>&1 || die "bad rules"
promtool test rules "$rules/alerts_test.yml" > "$work/log" 2>&1 || die "an alert fires on a good night, or not on a bad one"
more='repeats = 1'
campaign_file 2 off-1 on-1 violation flaky

campaign
"$lufbed" metrics --history "$work/h.db" > "$work/metrics"
promtool check metrics < "$work/metrics" > "$work/log" 2>&1 || die "promtool complains"
[ ! -s "$work/log" ] || die "promtool has advice"
for family in runs_total violations_total loads_checked_total flushes_total deferrals_total refusals_total \
  shootdown_ipis_received_total remote_flushes_total deferral_age_seconds flush_duration_seconds pending_pages_max \
  deferral_age_max_seconds boot_seconds campaign_seeds_per_minute campaign_flake_ratio harness_cpu_seconds_total; do
  grep -q "^# TYPE lufbed_$family " "$work/metrics" || die "no family lufbed_$family"
done
serve
"$lufbed" serve --history "$work/h.db" --listen 127.0.0.1:$port > "$work/log" 2>&1
expect_code $? 3
expect_line "^cannot listen on 127.0.0.1:$port: the port is in use"

start_prometheus
await 'lufbed_runs_total{kernel="on-1",verdict="pass"} == 2' 1
# The second night is seen without a restart of anything, and is not forgotten by one.
campaign
await 'lufbed_runs_total{kernel="on-1",verdict="pass"} == 4' 1
kill "${servers[0]}"
wait "${servers[0]}"
serve
sleep 3
await 'lufbed_deferrals_total{kernel="off-1"} == 0' 1
await 'resets(lufbed_runs_total{kernel="on-1",verdict="pass"}[1m]) == 0' 1
await 'increase(lufbed_violations_total{kernel="violation",rule="R3"}[1m]) > 0' 1
await 'ALERTS{alertname="LufbedViolation",alertstate="firing"} > 0' 2

ask_all violation on-1
