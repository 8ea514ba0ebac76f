#!/usr/bin/env bash
# While a campaign of real guests runs, a real Prometheus scrapes it; then every query of the dashboards and the alerts has data, and the
# alert for the fault that was planted fires.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
# shellcheck source=../campaign/prometheus.sh
source "$(dirname "$0")/../campaign/prometheus.sh"
need_kernel

# guests NAME LINE...: writes $work/NAME.toml
guests() {
  {
    printf 'title = "guests whose metrics are scraped"\n[kernel]\nluf = "on"\nage = "200ms"\n[machine]\nicount = 4\n'
    printf '[[phase]]\nname = "main"\nduration = "3s"\n'
    printf '%s\n' "${@:2}"
    printf '[[%s]]\nname = "%s"\n' workload churn injector reclaim injector migrate detector foreign_content detector tlb_check
  } > "$work/$1.toml"
}
guests clean 'at_least = { loads = 100 }'
guests planted 'faults = { early_free = 100 }'
# Twice with LUF on, for two kernels to compare that have all there is.
printf 'title = "t"\nscenarios = ["clean.toml", "planted.toml"]\nrepeats = 0\n' > "$work/night.toml"
for name in off on again; do
  printf '[[kernel]]\nname = "%s"\npath = "%s"\nluf = "%s"\n' $name "$vmlinux" ${name/again/on} >> "$work/night.toml"
done

timeout -k 10 600 "$lufbed" campaign "$work/night.toml" --history "$work/h.db" --image-dir "$images" --accel tcg --runs "$work/runs" \
  > "$log" 2>&1 &
servers+=($!)
for _ in $(seq 600); do
  [ ! -s "$work/h.db" ] || break
  sleep 0.1
done
serve
start_prometheus
await 'lufbed_violations_total{kernel="on",rule="R8"} == 0' 1
wait "${servers[0]}"
expect_code $? 1
await 'sum(lufbed_runs_total{campaign="night"}) == 6' 1
await 'ALERTS{alertname="LufbedViolation",alertstate="firing",kernel="on",rule="R8"} > 0' 1
ask_all on again
