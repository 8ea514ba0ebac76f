# Shared by the campaign cases: campaigns of guests that replay_qemu plays, so that hundreds take seconds.
# shellcheck shell=bash
# usage of a case: NAME_case.sh LUFBED IMAGE_DIR SOURCE_DIR
set -u
# shellcheck source-path=SCRIPTDIR source=../lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
lufbed=$1
images=$2
source=$3
here=$source/harness/tests/campaign
work=$(mktemp -d /tmp/lufbed-campaign-XXXXXX)
log=$work/log
export LUFBED_IMAGE_DIR=$images LUFBED_REPLAY_COUNT=$work/count
servers=()
trap 'finish' EXIT

finish() {
  local status=$?
  [ ${#servers[@]} -eq 0 ] || kill "${servers[@]}" 2> /dev/null
  wait
  umount "$work/full" 2> /dev/null
  if [ $status -eq 1 ] && [ -f "$log" ]; then tail -n 40 "$log"; fi
  rm -rf "$work"
  exit $status
}

# What passes for a kernel: an ELF file with a banner in it.
cp "$images/luf-guest" "$work/vmlinux" && printf 'Linux version 6.12.0-replay x' >> "$work/vmlinux"

# campaign_file SEEDS REPLAY...: writes $work/night.toml with a kernel for each recording
campaign_file() {
  {
    printf 'title = "replayed guests"\nscenarios = ["%s/scenarios/smoke/luf-on.toml"]\nseeds = %s\n' "$source" "$1"
    [ -z "${more-}" ] || printf '%s\n' "$more"
    for name in "${@:2}"; do
      printf '[[kernel]]\nname = "%s"\npath = "vmlinux"\nappend = "replay=%s"\n' "$name" "$name"
      [[ $name != off* ]] || printf 'luf = "off"\n'
    done
  } > "$work/night.toml"
}

# campaign ARG...: runs it; output in $log
campaign() {
  "$lufbed" campaign "$work/night.toml" --history "$work/h.db" --accel tcg --qemu "$here/replay_qemu" --runs "$work/runs" "$@" \
    > "$log" 2>&1
}

history() { "$lufbed" history --history "$work/h.db" "$@"; }

expect_lines() { [ "$(wc -l < "$log")" -eq "$1" ] || die "not $1 line(s)"; }
sql() { sqlite3 "${2-$work/h.db}" "$1"; }
