#!/usr/bin/env bash
# What a user who mistypes sees: one line, exit code 2; and the list has every variant. Builds nothing.
# usage: usage_test.sh ROOT
set -u
root=$1
out=$(mktemp)
trap 'rm -f "$out"' EXIT

die() {
    echo "failed: $*"
    exit 1
}

# expect WORDS COMMAND...: exit code 2, and one line with these words
expect() {
    local words=$1 code=0
    shift
    LUFBED_NO_SETUP=1 "$@" > "$out" 2>&1 || code=$?
    [ "$code" -eq 2 ] || die "exit code $code: $*"
    [ "$(wc -l < "$out")" -eq 1 ] || die "not one line: $(cat "$out")"
    grep -q -- "$words" "$out" || die "no line with \"$words\": $(cat "$out")"
}

expect 'no variant nope; there are: .*lockdep' "$root/guest-kernel/build" nope
expect 'no variant nope' "$root/guest-kernel/build" --print-dir nope
expect 'usage: build' "$root/guest-kernel/build" --nope
expect 'usage: build' "$root/guest-kernel/build" luf kasan
expect 'vanilla has no patches' "$root/guest-kernel/build" --check-steps vanilla
expect 'usage: lufbed kernel' "$root/lufbed" kernel nope
expect 'no variant nope' "$root/lufbed" kernel build nope
expect 'no variant nope' "$root/lufbed" run --variant nope scenarios/smoke
expect 'needs a name' "$root/lufbed" run scenarios/smoke --variant
expect 'exclude each other' "$root/lufbed" run --variant kasan --kernel /nowhere scenarios/smoke
# Set-up must not be content with a source package that the build refuses.
lowest=$(sed -n 's/^package //p' "$root/guest-kernel/pin")'>='$(sed -n 's/^lowest //p' "$root/guest-kernel/pin")
[ "$(grep -c "^$lowest " "$root/.ci/packages")" -eq 2 ] || die ".ci/packages does not ask for $lowest"
"$root/lufbed" kernel list > "$out" || die "kernel list"
for file in "$root"/guest-kernel/variants/*.config; do
    name=${file##*/}
    grep -q "^${name%.config} .* [a-z]" "$out" || die "kernel list does not describe ${name%.config}"
done
