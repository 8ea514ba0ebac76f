#!/usr/bin/env bash
# The recipe for `git bisect run` finds the commit, and goes around one that does not build and one that cannot be judged.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
command -v git > /dev/null || skip "no git"
mkdir "$work/tree" && cd "$work/tree" || exit 1
export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a
git init -q .
# What each commit builds: a recording, or nothing.
for name in on-1 on-1 broken idle on-2 violation violation violation; do
  echo "$name" > recording && date +%N > change && git add . && git commit -qm "$name" && git tag "$name" 2> /dev/null
done
# The word that chooses the recording stands on the command line of the kernel.
cat > "$work/lufbed" << END
#!/bin/sh
exec "$lufbed" "\$@" --append "replay=\$(cat recording)" --accel tcg --qemu "$here/replay_qemu" --runs "$work/runs"
END
chmod +x "$work/lufbed"
export LUFBED=$work/lufbed MAKE='! grep -q broken recording && cp ../vmlinux .'
git bisect start HEAD "$(git rev-list --max-parents=0 HEAD)" > "$log" 2>&1
git bisect run "$source/docs/recipes/git-bisect.sh" "$source/scenarios/smoke/luf-on.toml" --seed 7 > "$log" 2>&1
expect_code $? 0
expect_line "^$(git rev-parse violation) is the first bad commit"
