#!/usr/bin/env bash
# For `git bisect run` in a kernel tree: builds it and says whether a scenario passes on it, with the seed that failed.
#   git bisect start BAD GOOD && git bisect run .../docs/recipes/git-bisect.sh SCENARIO --seed 7
# MAKE says how to build, LUFBED where lufbed is. What cannot be built or judged is skipped.
set -u
eval "${MAKE:-make -j$(nproc) vmlinux}" || exit 125
"${LUFBED:-lufbed}" run --kernel vmlinux "$@"
case $? in
  0) exit 0 ;;
  1) exit 1 ;;
  130) exit 255 ;; # ends the bisection
  *) exit 125 ;;
esac
