# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The kernel's own mm selftests, for a guest: static programs and what to run of them, in the form of the guest's root.

# selftests: builds them if needed; prints the directory
selftests() {
    local out mm name
    identify vanilla
    key=$(printf '%s\n' "$package" "$version" "$compiler" "$(hash_of "$here/selftests.sh" "$here/selftests.list")" | sha256sum)
    result=$cache/kernel/selftests-${key:0:16}
    if [ ! -d "$result" ]; then
        unpack
        lock "$tree.lock"
        bring "$tree"
        out=$trees/selftests mm=$tree/tools/testing/selftests/mm log=$trees/selftests.log
        rm -rf "$out" && mkdir -p "$out/programs" "$out/root/selftests" "$out/root/bin"
        rm -f "$mm"/local_config.* # what its makefile found out about libraries the last time
        {
            make -C "$tree" O="$out/headers" ARCH=x86_64 headers &&
                make_mm -k
            # Its source uses a constant without the header that has it.
            make_mm "$out/programs/khugepaged" EXTRA_CFLAGS="-static -include ../kselftest.h"
        } > "$log" 2>&1 < /dev/null || true # what is missing is told by name, below
        while read -r name; do
            [ -x "$out/programs/$name" ] || fail "the selftest $name was not built; see $log"
            strip -o "$out/root/selftests/$name" "$out/programs/$name"
        done < <(sed -n -E 's/^(run|pinned) ([^ ]+).*/\2/p' "$here/selftests.list" | sort -u)
        cp "$here/selftests.list" "$out/root/selftests/list"
        cp /bin/busybox "$out/root/bin/sh" # runs its own cat, grep and the like
        mv "$out/root" "$result"
    fi
    echo "$result"
}

make_mm() {
    make -j"$(nproc)" -C "$mm" ARCH=x86_64 OUTPUT="$out/programs" KHDR_INCLUDES="-isystem $out/headers/usr/include" \
        EXTRA_CFLAGS=-static "$@"
}
