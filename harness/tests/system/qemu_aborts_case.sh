#!/usr/bin/env bash
# A QEMU that aborts while the guest boots is started once more, and the verdict says so; twice is too often.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
need_kernel
scenario 3s

# qemu STARTS: writes a QEMU that aborts in its first STARTS guests
qemu() {
  cat > "$work/qemu" << EOF
#!/usr/bin/env bash
if [[ " \$* " = *" -append "* ]]; then
  echo start >> "$work/starts"
  if [ "\$(wc -l < "$work/starts")" -le $1 ]; then
    echo 'qemu: an assertion of its own failed' >&2
    (sleep 0.7; kill -ABRT \$\$) > /dev/null 2>&1 &
  fi
fi
exec qemu-system-x86_64 "\$@"
EOF
  chmod +x "$work/qemu"
  rm -f "$work/starts"
}

qemu 1
run --qemu "$work/qemu"
expect_code $? 0
expect_verdict pass
grep -q 'QEMU aborted while the guest booted, and was started again: .*an assertion of its own failed' \
  "$work/runs/case/1/verdict" || die "the verdict does not say that QEMU was started again"

qemu 1
rm -rf "$work/runs"
printf '[[injector]]\nname = "disk_slow"\n' >> "$work/case.toml"
run --qemu "$work/qemu"
grep -q '"ev":"done"' "$work/runs/case/1/events.jsonl" || die "the second start had no disk for the guest"

scenario 3s
qemu 2
rm -rf "$work/runs"
run --qemu "$work/qemu"
expect_code $? 3
expect_line 'QEMU was ended by signal 6 .Aborted. before its first event'
expect_verdict infra
