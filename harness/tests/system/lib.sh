# Shared by the system cases: each boots guests through LUFBED and checks one line, an exit code, and what is left behind.
# shellcheck shell=bash
# usage of a case: NAME_case.sh LUFBED IMAGE_DIR
set -u
# shellcheck source-path=SCRIPTDIR source=../lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
lufbed=$1
images=$2
work=$(mktemp -d /tmp/lufbed-system-XXXXXX)
log=$work/log
servers=() # what runs beside a case, to be ended with it
trap 'finish' EXIT

finish() {
  local status=$?
  [ ${#servers[@]} -eq 0 ] || { kill "${servers[@]}" 2> /dev/null; wait "${servers[@]}"; }
  # No QEMU of this case may be left, however the case ended.
  if pgrep -f -- "$work/" > "$work/left"; then
    echo "left behind: $(cat "$work/left")"
    status=1
    xargs -r kill -KILL < "$work/left"
  fi
  [ $status -eq 1 ] && [ -f "$log" ] && tail -n 30 "$log"
  umount "$work/full" 2> /dev/null
  rm -rf "$work"
  exit $status
}

# The kernel to boot: LUFBED_TEST_KERNEL (a file), else the one built here.
kernel() {
  if [ -n "${LUFBED_TEST_KERNEL-}" ]; then
    echo "$LUFBED_TEST_KERNEL"
  else
    local dir=${LUFBED_KERNEL_DIR-$(dirname "$lufbed")/../../kernel}
    [ -f "$dir/vmlinux" ] && echo "$dir/vmlinux"
  fi
}

need_kernel() {
  vmlinux=$(kernel)
  [ -f "$vmlinux" ] || skip "no guest kernel; build one or set LUFBED_TEST_KERNEL"
}

# scenario DURATION [MACHINE_LINE...]: writes $work/case.toml
scenario() {
  {
    echo 'title = "a case of the system tests"'
    echo '[machine]'
    [ $# -lt 2 ] || printf '%s\n' "${@:2}"
    echo '[[phase]]'
    echo 'name = "main"'
    echo "duration = \"$1\""
    echo '[[injector]]'
    echo 'name = "reclaim"'
    echo '[[detector]]'
    echo 'name = "foreign_content"'
  } > "$work/case.toml"
}

# Starts a libvirtd, without systemd, with all its files in a directory of this case, and without KVM; sets daemon_uri. Fails where only root could.
start_libvirtd() {
  local dir=$work/d
  [ "$(id -u)" -eq 0 ] || return 1
  mkdir -p "$dir/etc" "$dir/run" "$dir/lib" "$dir/log" "$dir/cache" /etc/libvirt /run/libvirt /var/lib/libvirt \
    /var/log/libvirt /var/cache/libvirt
  printf 'unix_sock_dir = "%s"\nauth_unix_rw = "none"\n' "$dir" > "$dir/etc/libvirtd.conf"
  printf '%s\n' 'stdio_handler = "file"' 'security_driver = "none"' 'namespaces = []' 'cgroup_controllers = []' \
    'remember_owner = 0' > "$dir/etc/qemu.conf"
  # shellcheck disable=SC2016 # expanded by the inner shell
  unshare --mount sh -ec '
    for what in etc run lib log cache; do
      case $what in etc) to=/etc ;; run) to=/run ;; *) to=/var/$what ;; esac
      mount --bind "$1/$what" "$to/libvirt"
    done
    # With a /dev/kvm, libvirt may not keep what it learnt about QEMU, and asks it some ten times before a guest starts.
    [ ! -e /dev/kvm ] || { : > "$1/kvm"; mount --bind "$1/kvm" /dev/kvm; mount -o remount,bind,ro /dev/kvm; }
    exec libvirtd --config "$1/etc/libvirtd.conf" --pid-file "$1/pid"' sh "$dir" > "$dir/said" 2>&1 &
  servers+=($!)
  for _ in $(seq 300); do
    [ ! -S "$dir/libvirt-sock" ] || break
    kill -0 "${servers[-1]}" || die "no libvirtd: $(tail -n 3 "$dir/said")"
    sleep 0.1
  done
  # shellcheck disable=SC2034 # for who sources this
  daemon_uri="qemu+unix:///system?socket=$dir/libvirt-sock"
}

# run ARG...: runs the scenario; what it says goes to $log
run() {
  timeout -k 10 400 "$lufbed" run "$work/case.toml" --image-dir "${image_dir:-$images}" --kernel "$vmlinux" --accel tcg \
    --runs "${runs:-$work/runs}" "$@" > "$log" 2>&1
}

# waits until the run's event stream holds a word
await_event() {
  local i
  for i in $(seq 600); do
    grep -qs "\"ev\":\"$1\"" "$work"/runs/case/1/events.jsonl && return 0
    sleep 0.2
  done
  die "no event $1 after $((i / 5)) s"
}

# The QEMU of this case, by its run directory.
qemu_pid() { pgrep -f -- "qemu-system.*$work/"; }

expect_verdict() {
  grep -q "\"verdict\": \"$1\"" "$work/runs/case/1/verdict" || die "the run directory does not say $1"
}

# hungry_scenario [MACHINE_LINE...]: a guest that asks one of its small nodes for more than it has
hungry_scenario() {
  scenario 20s 'memory = "128MiB"' 'nodes = 2' "$@"
  printf '[[workload]]\nname = "churn"\namount = "160MiB"\n' >> "$work/case.toml"
}

# gone WHAT: after `doctor --clean` neither a QEMU of this case, nor a scratch file, nor a half-made template is left. The case has
# exported TMPDIR, which is empty otherwise, and XDG_CACHE_HOME=$work/cache.
gone() {
  sleep 0.5
  "$lufbed" doctor --clean >> "$work/cleaned" || die "doctor --clean failed"
  ! pgrep -f -- "qemu-system.*$work" > /dev/null || die "a QEMU is left after $1"
  [ -z "$(find "$TMPDIR" -mindepth 1)" ] || die "left after $1: $(find "$TMPDIR" -mindepth 1 -maxdepth 1)"
  [ -z "$(find "$work/cache" -name '*.??????' -path '*/template/*' 2> /dev/null)" ] || die "a half-made template is left"
}

# After all kills: the run directories are incomplete, and nothing is left to clean.
nothing_lost() {
  local verdict
  for verdict in "$work"/runs/case/*/verdict; do
    grep -q '"verdict": "\(incomplete\|not started\)"' "$verdict" || die "$verdict: $(cat "$verdict")"
  done
  grep -q 'killed the guest' "$work/cleaned" || die "no guest of the embedded driver had to be killed"
  "$lufbed" doctor --clean | grep -q '^nothing was left$' || die "something is left the second time"
}
