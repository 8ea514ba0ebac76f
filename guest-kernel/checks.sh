# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What `build` can check without a guest.

# Every line of the fragments survives, in every variant.
check_config() {
    local name names=("$@")
    [ $# -gt 0 ] || mapfile -t names < <(variants)
    for name in "${names[@]}"; do
        identify "$name"
        if [ -f "$result/config" ]; then expect_survival "$result/config"; else prepare; fi
    done
    echo "every line of the fragments survives: ${names[*]}"
}

# The series applies without fuzz, and checkpatch.pl has no complaint of a kind that the patch's message does not justify by
# a line "checkpatch KIND: why".
check_series() {
    local dir name kinds bad=0
    identify luf
    unpack
    dir=$(mktemp -d "${TMPDIR:-/tmp}/lufbed-series.XXXXXX")
    # shellcheck disable=SC2064 # this directory, now
    trap "rm -rf $dir" EXIT
    stage "$dir/staged" "${patch_names[@]}"
    while IFS= read -r name; do
        series | grep -qxF "$name" || { echo "patches/$name is not in patches/series" >&2 && bad=1; }
    done < <(cd "$patches" && find . -name '*.patch' -printf '%P\n' | sort)
    for name in "${patch_names[@]}"; do
        # New files need no MAINTAINERS entry: the series is not meant for a tree that has one.
        kinds=FILE_PATH_CHANGES$(sed -n -e '/^---$/q' -e 's/^checkpatch \([A-Z_]\+\): ..*/,\1/p' "$patches/$name" | tr -d '\n')
        (cd "$trees/pristine" && perl scripts/checkpatch.pl --strict --show-types --quiet --no-summary --ignore "$kinds" \
            "$patches/$name") >&2 || bad=1
    done
    [ "$bad" -eq 0 ] || fail "the series is not clean"
    echo "${#patch_names[@]} patches apply to $package $version without fuzz; checkpatch.pl --strict has no complaint without a justification"
}

# Every patch builds on those before it: a kernel is linked after each. All in one tree, so a step compiles what the
# patch touches and what includes that.
check_steps() {
    local count=0 name started
    identify "${1:-steps}"
    [ ${#patch_names[@]} -gt 0 ] || fail "the variant $variant has no patches" 2
    unpack
    tree=$trees/steps build=$trees/steps/build-$variant log=$trees/steps.log
    lock "$tree.lock"
    for name in "${patch_names[@]}"; do
        started=$SECONDS count=$((count + 1))
        echo "kernel: step $count of ${#patch_names[@]}, $name" >&2
        : > "$log"
        bring "$tree" "${patch_names[@]:0:count}"
        # Options of the series come with one of its patches; before it their lines cannot survive.
        configure
        compile
        echo "$name builds ($((SECONDS - started)) s)"
    done
    expect_survival "$build/.config"
    echo "each of the ${#patch_names[@]} patches builds"
}
