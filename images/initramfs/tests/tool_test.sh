#!/bin/sh
# The tool as it is used: what cpio reads back, same bytes twice, exit codes and one-line errors.
set -eu
tool=$1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
fail() { echo "FAILED: $*" >&2; exit 1; }

printf 'program' > "$dir/init"
truncate -s 1M "$dir/ext4.img"
printf 'superblock' | dd of="$dir/ext4.img" bs=1 seek=1024 conv=notrunc status=none
printf 'far' | dd of="$dir/ext4.img" bs=4096 seek=17 conv=notrunc status=none
"$tool" --init "$dir/init" --disk "$dir/ext4.img" --out "$dir/a.cpio"
"$tool" --init "$dir/init" --disk "$dir/ext4.img" --out "$dir/b.cpio"
cmp "$dir/a.cpio" "$dir/b.cpio" || fail "two builds differ"
list=$(cpio -t < "$dir/a.cpio" 2>/dev/null | tr '\n' ' ')
case "$list" in *"dev/console dev/ttyS1 disk/ext4 disk/ext4/00000000 disk/ext4/00011000 disk/ext4_size init ") ;; *) fail "archive holds: $list" ;; esac
cp "$dir/ext4.img" "$dir/xfs.img"
"$tool" --init "$dir/init" --disk "$dir/ext4.img" --disk "$dir/xfs.img" --out "$dir/two.cpio"
list=$(cpio -t < "$dir/two.cpio" 2>/dev/null | tr '\n' ' ')
case "$list" in *"disk/ext4_size disk/xfs disk/xfs/00000000 disk/xfs/00011000 disk/xfs_size init ") ;; *) fail "archive of two disks holds: $list" ;; esac
"$tool" --init "$dir/init" --out "$dir/bare.cpio"
list=$(cpio -t < "$dir/bare.cpio" 2>/dev/null | tr '\n' ' ')
[ "$list" = "dev dev/console init " ] || fail "bare archive holds: $list"
mkdir "$dir/x"
(cd "$dir/x" && cpio -id --quiet init 'disk/*' < "$dir/a.cpio")
[ "$(cat "$dir/x/init")" = program ] || fail "init differs"
[ -x "$dir/x/init" ] || fail "init cannot be run"
cmp -n 3 "$dir/x/disk/ext4/00011000" - <<X || fail "extent differs"
far
X

# Modules: plain and compressed, one built in, a dependency and a soft one.
mod="$dir/lib/modules/1"
mkdir -p "$mod/kernel"
printf 'brd' | gzip -n > "$mod/kernel/brd.ko.gz"
printf 'ext4' | xz > "$mod/kernel/ext4.ko.xz"
printf 'crc16' > "$mod/kernel/crc16.ko"
printf 'kernel/brd.ko.gz:\nkernel/ext4.ko.xz: kernel/crc16.ko\nkernel/crc16.ko:\n' > "$mod/modules.dep"
printf 'kernel/tty/serial_core.ko\n' > "$mod/modules.builtin"
"$tool" --base "$dir/a.cpio" --modules "$mod" --want 'brd,ext4,serial-core,?nvme' --out "$dir/m.cpio"
size=$(stat -c %s "$dir/a.cpio")
tail -c +$((size + 1)) "$dir/m.cpio" > "$dir/added.cpio"
(cd "$dir/x" && cpio -id --quiet < "$dir/added.cpio")
[ "$(tr '\n' ' ' < "$dir/x/modules/order")" = "brd.ko crc16.ko ext4.ko " ] || fail "order: $(cat "$dir/x/modules/order")"
[ "$(cat "$dir/x/modules/ext4.ko")" = ext4 ] || fail "ext4.ko was not decompressed"

# A tree: programs stay programs, and it stands at the root.
mkdir -p "$dir/t/selftests"
printf 'cow' > "$dir/t/selftests/cow"
chmod +x "$dir/t/selftests/cow"
printf 'run cow\n' > "$dir/t/selftests/list"
"$tool" --base "$dir/a.cpio" --tree "$dir/t" --out "$dir/t.cpio"
tail -c +$((size + 1)) "$dir/t.cpio" > "$dir/added.cpio"
(cd "$dir/x" && cpio -id --quiet < "$dir/added.cpio")
[ -x "$dir/x/selftests/cow" ] && [ ! -x "$dir/x/selftests/list" ] || fail "the tree's permissions"

expect() {
  code=$1 words=$2
  shift 2
  set +e
  "$tool" "$@" 2> "$dir/err"
  got=$?
  set -e
  [ $got = "$code" ] || fail "exit code $got instead of $code: $*"
  [ "$(wc -l < "$dir/err")" = 1 ] || fail "not one line: $(cat "$dir/err")"
  grep -q "$words" "$dir/err" || fail "message: $(cat "$dir/err")"
}
expect 2 'init' --out "$dir/o"
expect 2 'out' --init "$dir/init" --disk "$dir/ext4.img"
expect 3 'missing' --init "$dir/missing" --disk "$dir/ext4.img" --out "$dir/o"
expect 3 'module nvme' --base "$dir/a.cpio" --modules "$mod" --want nvme --out "$dir/o"
expect 3 'no-tree' --base "$dir/a.cpio" --tree "$dir/no-tree" --out "$dir/o"
expect 2 'modules or --tree' --base "$dir/a.cpio" --out "$dir/o"
expect 3 'modules.dep' --base "$dir/a.cpio" --modules "$dir" --want brd --out "$dir/o"
[ ! -e "$dir/o" ] || fail "a failed call left a file"
"$tool" --help | grep -q 'Exit codes' || fail "--help"
