#!/usr/bin/env bash
# A guest that falls silent while QEMU lives fails with the guest to blame.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
need_kernel
hungry_scenario 'stall_deadline = "8s"'
# A panic that nobody hears of is a hang: no console, no pvpanic device, no reboot.
cat > "$work/qemu" << 'EOF'
#!/usr/bin/env bash
words=()
for word; do
  [ "$word" = pvpanic-pci ] && word=pci-testdev
  words+=("${word/console=ttyS0 /}")
done
exec qemu-system-x86_64 "${words[@]}"
EOF
chmod +x "$work/qemu"
run --qemu "$work/qemu" --append 'sysctl.vm.panic_on_oom=2 panic=0'
expect_code $? 1
expect_line '^fail case: the guest hung: no event for 8s, while QEMU still answers'
expect_verdict fail
