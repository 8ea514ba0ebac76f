#!/usr/bin/env bash
# A real Pushgateway takes the metrics of a night, and the next night's in their place; without one there is one clear line.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
for tool in prometheus-pushgateway promtool; do command -v $tool > /dev/null || skip "no $tool"; done
campaign_file 2 on-1
port=$((20000 + RANDOM % 20000))
push() { "$lufbed" metrics --history "$work/h.db" --push 127.0.0.1:$port --job night > "$log" 2>&1; }
# gateway: what Prometheus would scrape there
gateway() {
  exec 3<> /dev/tcp/127.0.0.1/$port || return
  printf 'GET /metrics HTTP/1.0\r\n\r\n' >&3
  sed '1,/^\r$/d' <&3
  exec 3>&-
}

campaign
push
expect_code $? 3
expect_line "cannot push to 127.0.0.1:$port: nobody answers there"
expect_lines 1
prometheus-pushgateway --web.listen-address=127.0.0.1:$port > "$work/pushgateway" 2>&1 &
servers+=($!)
for _ in $(seq 100); do gateway > "$work/metrics" 2> /dev/null && break; sleep 0.1; done
for night in 1 2; do
  push || die "the Pushgateway does not take it"
  expect_lines 0
  gateway > "$log"
  expect_line "^lufbed_runs_total{.*job=\"night\",kernel=\"on-1\",verdict=\"pass\"} $((2 * night))$"
  expect_line '^lufbed_flush_duration_seconds_bucket{.*le="+Inf"} [1-9]'
  expect_line '^push_failure_time_seconds{instance="",job="night"} 0$'
  campaign
done
gateway | grep -E '^(# .* )?lufbed_' | promtool check metrics > "$log" 2>&1 || die "promtool complains"
