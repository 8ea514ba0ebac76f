#!/usr/bin/env bash
# Every scenario of smoke and selftest has the same verdict through our own QEMU, through libvirt's driver inside lufbed and through a
# daemon. Time is the host's here, which may hide a planted fault once: what differs is run once more.
# shellcheck source-path=SCRIPTDIR source=../system/lib.sh
source "$(dirname "$0")/../system/lib.sh"
need_kernel
export TMPDIR=$work
folder=$(cd "$(dirname "$0")/../../../scenarios" && pwd)
start_libvirtd || skip "only root can start a libvirtd in a place of its own"

# verdicts WAY TIME PATH...: runs these that WAY; one line "scenario verdict" for each
verdicts() {
  local way=$1 runs=$work/$1-$2 machine
  case $way in
    direct) machine=(--machine qemu) ;;
    embedded) machine=(--machine libvirt) ;;
    daemon) machine=(--machine libvirt --connect "$daemon_uri") ;;
  esac
  timeout -k 10 3000 "$lufbed" run "${machine[@]}" --image-dir "$images" --kernel "$vmlinux" --accel tcg --runs "$runs" \
    "${@:3}" >> "$log" 2>&1
  (cd "$runs" && grep -m 1 -r --include verdict '"verdict":' . | sed -E 's|./(.*)/1/verdict: *"verdict": "(.*)",|\1 \2|' | sort)
}

verdicts direct 1 "$folder/smoke" "$folder/selftest" > "$work/direct"
[ "$(grep -c ' pass$' "$work/direct")" -ge 25 ] || die "too few passed: $(cat "$work/direct")"
for way in embedded daemon; do
  verdicts $way 1 "$folder/smoke" "$folder/selftest" > "$work/$way"
  mapfile -t again < <(diff "$work/direct" "$work/$way" | sed -nE "s|^[<>] (.*) .*|$folder/\\1.toml|p" | sort -u)
  [ ${#again[@]} -gt 0 ] || continue
  verdicts direct "$way" "${again[@]}" > "$work/direct.2"
  verdicts $way 2 "${again[@]}" > "$work/$way.2"
  [ "$(wc -l < "$work/$way.2")" -eq ${#again[@]} ] || die "$way: not all ran again"
  diff "$work/direct.2" "$work/$way.2" || die "$way differs from direct"
done
