#!/usr/bin/env bash
# The recipe for a pool of hosts: four shards, merged, are one campaign; a host that was lost is told, and goes on later. What passes
# for ssh runs the command here.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
more='repeats = 1'
campaign_file 5 on-1 violation
campaign
history last --ktap "$work/whole"
cat > "$work/ssh" << 'END'
#!/bin/sh
echo "$1" >> "$HOSTS"
[ ! -e "$HOSTS.$1-is-down" ] || exit 255
cd / && exec sh -c "$2"
END
chmod +x "$work/ssh"
export HOSTS=$work/hosts SSH=$work/ssh LUFBED=$lufbed ID=$$ ARGS="--accel tcg --qemu $here/replay_qemu --runs $work/runs"
pool() { "$source/docs/recipes/libvirt-pool.sh" "$work/night.toml" "$work/pool" a b c d > "$log" 2>&1; }
touch "$HOSTS.c-is-down"
pool
code=$?
rm "$HOSTS.c-is-down"
expect_code $code 3
expect_line '^shard 3 did not end, see '
pool
expect_code $? 0
rm -f /tmp/lufbed-$$-[1-4].db /tmp/lufbed-$$-[1-4].db.lock
[ "$(sort -u "$HOSTS" | paste -sd' ')" = 'a b c d' ] || die "other hosts than asked for"
"$lufbed" history last --history "$work/pool/history.db" --ktap "$work/merged"
diff <(grep -v '# again' "$work/whole") <(grep -v '# again' "$work/merged") || die "not the same results"
[ "$(grep -cE '^(not )?ok' "$work/merged")" -eq 10 ] || die "not 10 cases"
