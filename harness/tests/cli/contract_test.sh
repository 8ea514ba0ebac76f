#!/bin/sh
# docs/contract.md holds what `lufbed list contract` prints, and every entry is bound. LUFBED_UPDATE_GOLDEN=1 rewrites it.
# usage: contract_test.sh LUFBED IMAGES SOURCE GUEST_PROGRAM_WITH_EXAMPLE
set -u
doc=$3/docs/contract.md
begin='<!-- begin: lufbed list contract -->'
end='<!-- end: lufbed list contract -->'
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$1" list contract "$3/scenarios" --image-dir "$2" > "$work/tables" || exit 1
awk -v begin="$begin" -v end="$end" -v tables="$work/tables" '
  $0 == end { inside = 0 }
  !inside
  $0 == begin { inside = 1; while ((getline line < tables) > 0) print line }' "$doc" > "$work/contract.md"
if [ -n "${LUFBED_UPDATE_GOLDEN-}" ]; then
  cp "$work/contract.md" "$doc"
fi
diff -u "$doc" "$work/contract.md" || exit 1

# A rule, a detector or a fault that nothing shows any more is told, and fails.
mkdir "$work/scenarios"
cp -r "$3/scenarios/selftest" "$work/scenarios"
rm "$work"/scenarios/selftest/*uffd*
if "$1" list contract "$work/scenarios" --image-dir "$2" > /dev/null 2> "$work/unbound"; then
  echo "a tree without the scenarios of userfaultfd is called bound"
  exit 1
fi
for entry in 'rule R9' 'fault uffd' 'detector uffd_install'; do
  grep -q "^unbound: $entry: " "$work/unbound" || { echo "nothing said of $entry"; cat "$work/unbound"; exit 1; }
done

# A detector is one file, built here with all others, and one scenario. Until there is one, it is told to be unbound.
cp -r "$2" "$work/images"
"$4" --describe > "$work/images/parts.json" || exit 1
if "$1" list contract "$3/scenarios" --image-dir "$work/images" > /dev/null 2> "$work/unbound"; then
  echo "a detector that no scenario proves is called bound"
  exit 1
fi
grep -q '^unbound: detector example_reader: ' "$work/unbound" || { cat "$work/unbound"; exit 1; }
cp "$3/images/guest/tests/example/example_reader.toml" "$work/scenarios"
"$1" list contract "$3/scenarios" "$work/scenarios" --image-dir "$work/images" > /dev/null || exit 1

# A litmus test is one file.
cat > "$work/scenarios/mine.toml" << 'TOML'
title = "Mine"
[kernel]
luf = "on"
age = "0s"
[[phase]]
name = "main"
duration = "3s"
at_least = { loads = 100, luf_deferred = 10 }
[[detector]]
name = "litmus"
program = """
P0: await f; a = x
P1: migrate x; x = 1; f = 1
"""
forbidden = "a=0"
TOML
"$1" check "$work/scenarios/mine.toml" --image-dir "$2" > /dev/null || exit 1

# A mistake in its program is told with file and line.
sed -i 's/migrate x; x = 1/migrate x; jump x/' "$work/scenarios/mine.toml"
"$1" check "$work/scenarios/mine.toml" --image-dir "$2" > /dev/null 2> "$work/mistake"
code=$?
[ $code -eq 2 ] || { echo "a wrong litmus program ends with $code"; exit 1; }
grep -q 'mine.toml:11: "detector.program": " jump x" of P1: is no step' "$work/mistake" || { cat "$work/mistake"; exit 1; }
