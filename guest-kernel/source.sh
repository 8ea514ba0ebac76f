# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The source trees, for `build` and `checks.sh`: the Debian package unpacked once, and trees of hard links to it that
# hold patches. $cache, $package, $version, $patches and $trees are set by the caller.

series() { sed -e 's/#.*//' -e 's/[[:space:]]*$//' -e '/^$/d' "$patches/series"; }

# lock FILE: only one may work behind it; the one before is let go. Waits.
lock() {
    exec 9> "$1"
    flock -n 9 && return
    echo "kernel: waiting for another build to leave ${1%.lock}" >&2
    flock 9
}

# The package's source. An older version of the package, with all that was built there, goes.
unpack() {
    [ ! -d "$trees/pristine" ] || return 0
    mkdir -p "$trees"
    lock "$cache/kernel/source/lock"
    [ ! -d "$trees/pristine" ] || return 0
    echo "kernel: unpacking $package $version" >&2
    find "$cache/kernel/source" -mindepth 1 -maxdepth 1 -type d ! -path "$trees" -exec rm -rf {} +
    rm -rf "$trees/unpack" && mkdir "$trees/unpack"
    xz -T0 -dc "/usr/src/$package.tar.xz" | tar -x -C "$trees/unpack" --strip-components=1
    mv "$trees/unpack" "$trees/pristine"
}

# Every path of the source that one of the given patches names.
touched_by() {
    [ $# -eq 0 ] || sed -n -E -e 's,^(---|\+\+\+) [ab]/([^[:space:]]+).*,\2,p' -e 's,^rename (from|to) ,,p' "$@" | sort -u
}

# stage DIR PATCH...: the files that these patches touch, patched, in DIR; their names in DIR.list
stage() {
    local dir=$1 name out
    shift
    rm -rf "$dir" && mkdir -p "$dir"
    for name in "$@"; do
        [ -f "$patches/$name" ] || fail "patches/series names $name, which is not there"
    done
    touched_by "${@/#/$patches/}" > "$dir.list"
    rsync -a --ignore-missing-args --files-from="$dir.list" "$trees/pristine/" "$dir/"
    for name in "$@"; do
        if ! out=$(patch -p1 --fuzz=0 --no-backup-if-mismatch --force -d "$dir" -i "$patches/$name" 2>&1); then
            fail "$name does not apply without fuzz to $package $version:"$'\n'"$out"
        fi
    done
}

# bring TREE PATCH...: makes TREE the package's source with these patches and no others. A file whose content stays the
# same keeps its time stamp, so make and ccache redo only what a change of the series asks for. TREE is locked.
bring() {
    local tree=$1 staged=$1.staged
    shift
    if [ ! -d "$tree" ]; then
        cp -al "$trees/pristine" "$tree.new"
        mv "$tree.new" "$tree"
    fi
    stage "$staged" "$@"
    # What earlier patches touched and these leave alone goes back to the package's version of it.
    touch "$tree.list"
    sort -u "$staged.list" "$tree.list" > "$tree.next"
    mv "$tree.next" "$tree.list"
    comm -13 "$staged.list" "$tree.list" > "$tree.restore"
    rsync -a --ignore-missing-args --files-from="$tree.restore" "$trees/pristine/" "$staged/"
    # A file that goes may have been the only one of its directory, which rsync insists on.
    (cd "$staged" && xargs -r dirname | sort -u | xargs -r mkdir -p) < "$tree.list"
    rsync -r --checksum --perms --delete-missing-args --files-from="$tree.list" "$staged/" "$tree/"
    mv "$staged.list" "$tree.list"
}
