#!/usr/bin/env bash
# Over a series of 8 patches of which the sixth is bad and the first four cannot be judged: they are idle, or fail otherwise.
# Kernels are recordings; the build is one that looks at the series it was given.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
mkdir -p "$work/project/build/release/bin" "$work/project/guest-kernel/patches" "$work/project/guest-kernel/config" \
  "$work/project/guest-kernel/variants"
cp "$lufbed" "$work/project/build/release/bin/"
cd "$work/project/guest-kernel" || exit 1
for i in 1 2 3 4 5 6 7 8; do printf '+config LUF_OF_%s\n+bool\n' $i > "patches/$i.patch"; echo $i.patch >> patches/series; done
printf 'CONFIG_LUF_OF_7=y\nCONFIG_MMU=y\n' > config/luf.config
echo '# the default' > variants/luf.config
cat > build << 'END'
#!/bin/sh
# Fails like the real one when a line of the configuration cannot survive, or as this test wants it to.
here=$(dirname "$0")
count=$(grep -c . "$here/patches/series")
echo "$count" >> "$LUFBED_TEST/built"
grep -q MMU "$here/config/luf.config" || exit 1
if [ "$count" -lt 7 ] && grep -q LUF_OF_7 "$here/config/luf.config"; then exit 1; fi
[ "$count" -ge "${LUFBED_TEST_BUILDS:-1}" ] || exit 1
name=on-1
[ "$count" -lt 5 ] && name=idle
[ "$count" -eq 3 ] && name=other
[ "$count" -ge "$LUFBED_TEST_CULPRIT" ] && name=violation
dir=$LUFBED_TEST/replay=$name/$count
mkdir -p "$dir" && cp "$LUFBED_TEST/vmlinux" "$dir/"
printf '{"release": "6.12.0-replay", "source_version": "6.12", "series_sha256": "s", "config_sha256": "c", "hash": "%s",
  "vmlinux": "vmlinux", "config": "vmlinux"}\n' "$count" > "$dir/manifest.json"
echo "$dir"
END
chmod +x build
mkdir "$work/tmp"
export LUFBED_TEST=$work LUFBED_TEST_CULPRIT=6 TMPDIR=$work/tmp
bisect() {
  rm -f "$work/built"
  "$work/project/build/release/bin/lufbed" bisect "$source/scenarios/smoke/luf-on.toml" --seed 7 --count 2 --accel tcg \
    --qemu "$here/replay_qemu" --runs "$work/runs" > "$log" 2>&1
}
bisect
expect_code $? 0
expect_line '^  8 of 8 patches, up to 8.patch: 2 of 2 fail: R3 violated'
expect_line '^  4 of 8 patches, up to 4.patch: vacuous: too little activity'
expect_line '^  5 of 8 patches, up to 5.patch: 2 of 2 pass$'
expect_line '^first bad patch: 6.patch$'
[ "$(sort -u "$work/built" | wc -l)" -eq "$(wc -l < "$work/built")" ] || die "a kernel was built twice"
ls "$work"/runs/smoke/luf-on/*/scenario.toml > /dev/null || die "no run directories"
grep -hE '^seed = ' "$work"/runs/smoke/luf-on/*/scenario.toml | sort -u > "$log"
[ "$(paste -sd, "$log")" = 'seed = 7,seed = 8' ] || die "other seeds than asked for"

rm "$work/built"
"$work/project/build/release/bin/lufbed" bisect nowhere.toml > "$log" 2>&1
expect_code $? 2
expect_lines 1
[ ! -e "$work/built" ] || die "a kernel was built for a scenario that is not there"

LUFBED_TEST_CULPRIT=3 bisect
expect_code $? 0
expect_line '^one of these, between which nothing could be tested:$'
expect_line '^  3.patch$'
LUFBED_TEST_CULPRIT=5 LUFBED_TEST_BUILDS=7 bisect
expect_code $? 0
expect_line 'the kernel with 4 patches was not built'
expect_line '^one of these, between which nothing could be tested:$'
LUFBED_TEST_CULPRIT=5 bisect
expect_code $? 0
expect_line '^  3 of 8 patches, up to 3.patch: fails otherwise: R4 violated'
expect_line '^one of these'
LUFBED_TEST_CULPRIT=99 bisect
expect_code $? 3
expect_line 'the whole series was not seen to fail'
[ -z "$(ls "$TMPDIR")" ] || die "left something behind"
