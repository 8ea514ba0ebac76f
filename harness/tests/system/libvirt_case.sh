#!/usr/bin/env bash
# Guests run by libvirt get the verdict that our own QEMU gives them: through the driver inside lufbed, and through a
# daemon that is started here, without systemd, with all its files in a directory of this test.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
need_kernel
smoke=$(dirname "$0")/../../../scenarios/smoke/luf-on.toml

# virt ARG...: runs the smoke scenario by libvirt
virt() {
  timeout -k 10 400 "$lufbed" run "$smoke" --image-dir "$images" --kernel "$vmlinux" --accel tcg --runs "$work/runs" \
    --machine libvirt "$@" > "$log" 2>&1
}

export TMPDIR=$work
virt
expect_code $? 0
expect_line '^pass smoke/luf-on: no finding in '
grep -q '<name>lufbed-' "$work/runs/smoke/luf-on/1/domain.xml" || die "no domain.xml"
compgen -G "$work/lufbed-virt-*" > /dev/null && die "the driver's directory is left"

virt --connect "qemu+unix:///system?socket=$work/none"
expect_code $? 3
[ "$(wc -l < "$log")" -eq 1 ] || die "not one line"
expect_line "^cannot connect to libvirt at qemu+unix:///system?socket=$work/none: .*No such file or directory"
virt --connect test:///default
expect_code $? 3
expect_line '^libvirt at test:///default runs no QEMU guests'

[ "$(id -u)" -eq 0 ] || skip "only root can start a libvirtd in a place of its own; the embedded driver passed"
mkdir -p "$work/d/etc" "$work/d/run" "$work/d/lib" "$work/d/log" "$work/d/cache" /etc/libvirt /run/libvirt \
  /var/lib/libvirt /var/log/libvirt /var/cache/libvirt
cat > "$work/d/etc/libvirtd.conf" << END
unix_sock_dir = "$work/d"
auth_unix_rw = "none"
END
cat > "$work/d/etc/qemu.conf" << END
stdio_handler = "file"
security_driver = "none"
namespaces = []
cgroup_controllers = []
remember_owner = 0
END
# shellcheck disable=SC2016 # expanded by the inner shell
unshare --mount sh -ec '
  mount --bind "$1/etc" /etc/libvirt
  mount --bind "$1/run" /run/libvirt
  mount --bind "$1/lib" /var/lib/libvirt
  mount --bind "$1/log" /var/log/libvirt
  mount --bind "$1/cache" /var/cache/libvirt
  exec libvirtd --config "$1/etc/libvirtd.conf" --pid-file "$1/pid"' sh "$work/d" > "$work/d/said" 2>&1 &
daemon=$!
trap 'kill $daemon; wait $daemon; finish' EXIT
for _ in $(seq 300); do
  [ -S "$work/d/libvirt-sock" ] && break
  kill -0 $daemon || die "no libvirtd: $(tail -n 3 "$work/d/said")"
  sleep 0.1
done
virt --connect "qemu+unix:///system?socket=$work/d/libvirt-sock"
expect_code $? 0
expect_line '^pass smoke/luf-on: no finding in '

# A killed harness takes its guest with it: the daemon destroys what belonged to the connection.
virt --connect "qemu+unix:///system?socket=$work/d/libvirt-sock" &
for _ in $(seq 300); do
  grep -qs '"ev":"phase_start"' "$work/runs/smoke/luf-on/3/events.jsonl" && break
  sleep 0.2
done
kill -KILL "$(pgrep -f -- "^$lufbed run $smoke.*$work")"
wait $!
for _ in $(seq 100); do
  pgrep -f -- "qemu-system.*$work/runs" > /dev/null || exit 0
  sleep 0.2
done
die "a guest is left after its harness was killed"
