#!/usr/bin/env bash
# A kernel may be a commit of a git tree: it is built once, and the tree stays as it is. What passes for Linux here has the targets that
# are made of it, and a file for a vmlinux.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
for tool in git make gcc; do command -v $tool > /dev/null || skip "no $tool"; done
export XDG_CACHE_HOME=$work/cache GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a
mkdir -p "$work/linux/scripts/kconfig" && cd "$work/linux" || exit 1
cat > Makefile << 'END'
tinyconfig:
	touch $(O)/$(KCONFIG_CONFIG)
olddefconfig:
	sed -i /LUF/d $(O)/.config
vmlinux:
	echo $(LOCALVERSION) >> ../built
	mkdir -p $(O)/include/config
	echo 6.12.0-replay > $(O)/include/config/kernel.release
	cp image $(O)/vmlinux
	touch $(O)/System.map
END
printf '#!/bin/sh\nshift 3\ncat "$@" > .config\n' > scripts/kconfig/merge_config.sh
chmod +x scripts/kconfig/merge_config.sh
cp "$work/vmlinux" image
sed -i "s#\.\./built#$work/built#" Makefile
git init -q . && git add . && git commit -qm one && git tag one
echo >> image && git commit -qam two
echo mine > image # what is not committed is neither built nor touched

commits() {
  printf 'title = "t"\nscenarios = ["%s/scenarios/smoke/luf-on.toml"]\n' "$source" > "$work/night.toml"
  for commit; do
    printf '[[kernel]]\nname = "%s"\ntree = "linux"\ncommit = "%s"\nappend = "replay=on-1"\n' "$commit" "$commit" >> "$work/night.toml"
  done
}
commits one HEAD
campaign
expect_code $? 0
expect_line '^kernel: commit [0-9a-f]* goes without what it does not know: CONFIG_LUF '
campaign
expect_code $? 0
[ "$(sort -u "$work/built" | wc -l)" -eq 2 ] || die "not a kernel for each commit"
[ "$(wc -l < "$work/built")" -eq 2 ] || die "a kernel was built twice"
[ "$(sql 'select count(distinct build) from run')" -eq 2 ] || die "the history does not tell one commit from the other"
[ "$(git status --porcelain)" = ' M image' ] && [ "$(cat image)" = mine ] || die "the tree was changed: $(git status --porcelain)"

commits nowhere
campaign
expect_code $? 3
expect_line 'build-commit: the git tree .*linux has no commit nowhere$'
git rm -q --cached Makefile && git commit -qm 'no Makefile'
commits HEAD
campaign
expect_code $? 3
expect_line '^kernel: the configuration of commit [0-9a-f]* failed; '
