#!/usr/bin/env bash
# A real Prometheus scrapes the server; its counters survive a restart; every expression of the alerts has data to work on.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
for tool in promtool prometheus jq; do command -v $tool > /dev/null || skip "no $tool"; done
rules=$source/docker/prometheus
promtool check rules "$rules/alerts.yml" > "$work/log" 2>&1 || die "bad rules"
promtool test rules "$rules/alerts_test.yml" > "$work/log" 2>&1 || die "an alert fires on a good night, or not on a bad one"
more='repeats = 1'
campaign_file 2 off-1 on-1 violation flaky

# serve: starts the server on $port, a free one at first
port=0
serve() {
  "$lufbed" serve --history "$work/h.db" --listen 127.0.0.1:$port > "$work/serve" 2>&1 &
  servers+=($!)
  for _ in $(seq 100); do grep -q '^serving' "$work/serve" && break; sleep 0.1; done
  port=$(grep -oE 'port [0-9]+' "$work/serve" | cut -d' ' -f2)
}

campaign
"$lufbed" metrics --history "$work/h.db" > "$work/metrics"
promtool check metrics < "$work/metrics" > "$work/log" 2>&1 || die "promtool complains"
[ ! -s "$work/log" ] || die "promtool has advice"
for family in runs_total violations_total loads_checked_total flushes_total deferrals_total refusals_total \
  shootdown_ipis_received_total deferral_age_seconds flush_duration_seconds pending_pages_max boot_seconds campaign_flaky_cases; do
  grep -q "^# TYPE lufbed_$family " "$work/metrics" || die "no family lufbed_$family"
done
serve
"$lufbed" serve --history "$work/h.db" --listen 127.0.0.1:$port > "$work/log" 2>&1
expect_code $? 3
expect_line "^cannot listen on 127.0.0.1:$port: the port is in use"

sed "s/_interval: .*/_interval: 1s/; s/127.0.0.1:9469/127.0.0.1:$port/; s#alerts.yml#$rules/alerts.yml#" \
  "$rules/prometheus.yml" > "$work/prometheus.yml"
own=$((20000 + RANDOM % 20000))
prometheus --config.file "$work/prometheus.yml" --storage.tsdb.path "$work/tsdb" --web.listen-address 127.0.0.1:$own \
  > "$work/log" 2>&1 &
servers+=($!)
# query EXPRESSION: how many series it has
query() { promtool query instant -o json http://127.0.0.1:$own "$1" 2> /dev/null | jq length; }
# await EXPRESSION COUNT
await() {
  for _ in $(seq 120); do [ "$(query "$1")" = "$2" ] && return; sleep 0.5; done
  die "not $2 series of $1"
}
await 'lufbed_runs_total{kernel="on-1",verdict="pass"} == 2' 1
# The second night is seen without a restart of anything, and is not forgotten by one.
campaign
await 'lufbed_runs_total{kernel="on-1",verdict="pass"} == 4' 1
kill "${servers[0]}"
wait "${servers[0]}"
serve
sleep 3
await 'resets(lufbed_runs_total{kernel="on-1",verdict="pass"}[1m]) == 0' 1
await 'increase(lufbed_violations_total{kernel="violation",rule="R3"}[1m]) > 0' 1
# Every metric that an alert names is there.
for name in $(grep -oE 'lufbed_[a-z_]+' "$rules/alerts.yml" | sort -u); do
  [ "$(query "$name")" -gt 0 ] || die "an alert asks for $name, which has no data"
done
await 'ALERTS{alertname="LufbedViolation",alertstate="firing"} > 0' 2
