# Shared by the cases that have a real Prometheus scrape a history, $work/h.db. What is started goes into `servers`.
# shellcheck shell=bash
for tool in promtool prometheus jq; do command -v $tool > /dev/null || skip "no $tool"; done
rules=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../../docker/prometheus" && pwd)
dashboards=$rules/../grafana/dashboards

# serve: starts the server on $port, a free one at first
port=0
serve() {
  "$lufbed" serve --history "$work/h.db" --listen 127.0.0.1:$port > "$work/serve" 2>&1 &
  servers+=($!)
  for _ in $(seq 100); do grep -q '^serving' "$work/serve" && break; sleep 0.1; done
  port=$(grep -oE 'port [0-9]+' "$work/serve" | cut -d' ' -f2)
}

# start_prometheus: on a port of its own, with the rules of docker/, once a second
start_prometheus() {
  sed "s/_interval: .*/_interval: 1s/; s/127.0.0.1:9469/127.0.0.1:$port/; s#alerts.yml#$rules/alerts.yml#" \
    "$rules/prometheus.yml" > "$work/prometheus.yml"
  own=$((20000 + RANDOM % 20000))
  prometheus --config.file "$work/prometheus.yml" --storage.tsdb.path "$work/tsdb" --web.listen-address 127.0.0.1:$own \
    > "$work/prometheus" 2>&1 &
  servers+=($!)
}

# query EXPRESSION: how many series it has
query() { promtool query instant -o json http://127.0.0.1:$own "$1" 2> /dev/null | jq length; }
# await EXPRESSION COUNT
await() {
  for _ in $(seq 120); do [ "$(query "$1")" = "$2" ] && return; sleep 0.5; done
  die "not $2 series of $1"
}

# queries A B: all that dashboards and alerts ask, with what Grafana would fill in; an alert's comparison tells 0 or 1 here,
# instead of dropping what is well.
queries() {
  jq -r '.templating.list[].query, .panels[].targets[].expr' "$dashboards"/*.json |
    sed -E 's/^label_values\((.*), [a-z]+\)$/\1/; s/\$(__rate_interval|__range)/1m/g; s/\$campaign|\$kernel/.*/g
      s/\$a"/'"$1"'"/g; s/\$b"/'"$2"'"/g'
  sed -nE 's/^ *expr: //p' "$rules/alerts.yml" | sed -E 's/ (>|==) / \1 bool /g'
}
# ask_all A B: every query has an answer; A and B are the kernels that are compared.
ask_all() {
  queries "$@" > "$work/queries"
  local asked=0 query
  while read -r query; do
    [[ $query != *'$'* ]] || die "a variable that this test does not know: $query"
    promtool query instant -o json http://127.0.0.1:$own "$query" > "$work/answer" 2>&1 || die "not a query: $query: $(cat "$work/answer")"
    jq -e 'any(.[]; .value[1] | test("^[-+0-9.e]+$"))' "$work/answer" > "$work/log" || die "no data: $query"
    asked=$((asked + 1))
  done < "$work/queries"
  [ $asked -gt 60 ] || die "only $asked queries were found"
}
