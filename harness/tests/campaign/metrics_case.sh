#!/usr/bin/env bash
# A real Prometheus scrapes the server; its counters survive a restart; every query of the dashboards and the alerts has data.
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
await 'lufbed_deferrals_total{kernel="off-1"} == 0' 1
await 'resets(lufbed_runs_total{kernel="on-1",verdict="pass"}[1m]) == 0' 1
await 'increase(lufbed_violations_total{kernel="violation",rule="R3"}[1m]) > 0' 1
await 'ALERTS{alertname="LufbedViolation",alertstate="firing"} > 0' 2

# queries: all that dashboards and alerts ask, with what Grafana would fill in; an alert's comparison tells 0 or 1 here,
# instead of dropping what is well.
queries() {
  jq -r '.templating.list[].query, .panels[].targets[].expr' "$source"/docker/grafana/dashboards/*.json |
    sed -E 's/^label_values\((.*), [a-z]+\)$/\1/; s/\$(__rate_interval|__range)/1m/g; s/\$campaign|\$kernel/.*/g
      s/\$a"/violation"/g; s/\$b"/on-1"/g'
  sed -nE 's/^ *expr: //p' "$rules/alerts.yml" | sed -E 's/ (>|==) / \1 bool /g'
}
queries > "$work/queries"
asked=0
while read -r query; do
  [[ $query != *'$'* ]] || die "a variable that this test does not know: $query"
  promtool query instant -o json http://127.0.0.1:$own "$query" > "$work/answer" 2>&1 || die "not a query: $query: $(cat "$work/answer")"
  jq -e 'any(.[]; .value[1] | test("^[-+0-9.e]+$"))' "$work/answer" > "$work/log" || die "no data: $query"
  asked=$((asked + 1))
done < "$work/queries"
[ $asked -gt 60 ] || die "only $asked queries were found"
