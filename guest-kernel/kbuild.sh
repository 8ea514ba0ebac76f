# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# How a kernel is configured, compiled and published, for `build` and `build-commit`. Set by the caller: $cache; $trees,
# what paths are relative to for ccache; $tree and $build, source and objects; $log; $subject, what it is in messages;
# $local_version, the end of its release; $fragments; $config_hash, $series_hash, $source_version, $compiler and $key for
# the manifest, and $origin, further lines of it; $result.

kmake() {
    # O= is a direct sub-folder of the source: the compiler is then called with relative paths only.
    KCONFIG_NOTIMESTAMP=1 KBUILD_BUILD_TIMESTAMP='2025-01-01' KBUILD_BUILD_USER=lufbed KBUILD_BUILD_HOST=lufbed \
        KBUILD_BUILD_VERSION=1 LC_ALL=C \
        CCACHE_DIR=$cache/ccache CCACHE_BASEDIR=$trees CCACHE_NOHASHDIR=1 CCACHE_MAXSIZE=3G \
        CCACHE_SLOPPINESS=include_file_mtime,include_file_ctime,time_macros,locale \
        make -C "$tree" O="${build##*/}" ARCH=x86_64 CC='ccache gcc' HOSTCC='ccache gcc' LOCALVERSION="-$local_version" "$@"
}

give_up() {
    echo "kernel: the $1 of $subject failed; the last lines of $log:" >&2
    { grep -nE -B2 -A8 '(error|Error |undefined reference)' "$log" || cat "$log"; } | tail -n 30 >&2
    exit 1
}

configure() {
    mkdir -p "$build"
    # .config is written anew; the options that did not change keep their time stamps all the same.
    {
        (cd "$build" && kmake -s KCONFIG_CONFIG=.config.tiny tinyconfig &&
            ../scripts/kconfig/merge_config.sh -m -O . .config.tiny "${fragments[@]}") &&
            kmake olddefconfig
    } >> "$log" 2>&1 < /dev/null || give_up configuration
}

compile() {
    local start=$SECONDS pid built=0 every=60 format='kernel: %d:%02d, %d objects\n' next=60
    if [ -t 2 ]; then every=1 next=1 format='\rkernel: %d:%02d, %d objects '; fi
    kmake -j"$(nproc)" vmlinux >> "$log" 2>&1 < /dev/null 9>&- &
    pid=$!
    # shellcheck disable=SC2064 # this process id, now
    trap "kill $pid 2>/dev/null; wait $pid; exit 130" INT TERM HUP
    while kill -0 "$pid" 2>/dev/null; do
        sleep 0.5
        ((SECONDS - start >= next)) || continue
        next=$((next + every)) built=$(grep -cE '^  (CC|AS) ' "$log" || true)
        # shellcheck disable=SC2059 # one of the two formats above
        printf "$format" $(((SECONDS - start) / 60)) $(((SECONDS - start) % 60)) "$built" >&2
    done
    [ ! -t 2 ] || echo >&2
    wait "$pid" || give_up build
    trap - INT TERM HUP
}

publish() {
    local new=$cache/kernel/.new.$$
    rm -rf "$new" && mkdir -p "$new"
    cp "$build/vmlinux" "$build/System.map" "$new/"
    cp "$build/.config" "$new/config"
    cat > "$new/manifest.json" <<MANIFEST
{"release": "$(cat "$build/include/config/kernel.release")", "source_version": "$source_version",${origin:+
 $origin,}
 "series_sha256": "$series_hash", "config_sha256": "$config_hash", "hash": "$key",
 "vmlinux": "vmlinux", "config": "config", "compiler": "$compiler"}
MANIFEST
    rm -rf "$result"
    mv -T "$new" "$result"
}
