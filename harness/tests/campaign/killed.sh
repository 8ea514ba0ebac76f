# Shared by the cases that kill a campaign. Who sources this has campaign(), which runs it, and sql(), which asks its history.
# shellcheck shell=bash
command -v sqlite3 > /dev/null || skip "no sqlite3"

# kill_and_finish MOST CENTISECONDS CODE RUNS: kills it with -9 five times, each when the history holds a random number of runs, up to MOST,
# and less than CENTISECONDS more have gone by; then lets it end. That it does with CODE, and RUNS are in the history, each once.
kill_and_finish() {
  local kills runs pid
  mapfile -t kills < <(shuf -i "5-$1" -n 5 | sort -n)
  for runs in "${kills[@]}"; do
    campaign &
    pid=$!
    while [ "$(sql "select count(*) from run" 2> /dev/null || echo 0)" -lt "$runs" ] && kill -0 $pid 2> /dev/null; do sleep 0.05; done
    sleep "$((RANDOM % $2))e-2"
    # The program itself: the shell around it is another process.
    pkill -KILL -P $pid -x lufbed || kill -KILL $pid
    wait $pid 2> /dev/null
  done
  [ "$(sql 'select state from campaign')" = running ] || die "it was over before it was killed at ${kills[*]} runs"
  campaign
  expect_code $? "$3"
  [ "$(sql 'select count(*) from campaign')" -eq 1 ] || die "it did not go on, but began anew"
  [ "$(sql 'select count(*), count(distinct key || attempt) from run')" = "$4|$4" ] || die "not each run once: $(sql 'select count(*) from run')"
  [ "$(sql 'PRAGMA integrity_check')" = ok ] || die "the history is damaged"
}
