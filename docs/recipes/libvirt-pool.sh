#!/usr/bin/env bash
# A campaign on a pool of hosts with libvirt, one shard each: `lufbed` on every host has that host's libvirtd run the guests, and the
# histories are merged here. lufbed lies at the same path on all of them, built, with the guest kernel.
#   docs/recipes/libvirt-pool.sh FILE DIRECTORY HOST...
# ID names the campaign; with the same ID a host that was lost goes on where it was. SSH and LUFBED say how hosts and lufbed are reached,
# ARGS what else `lufbed campaign` is told.
set -eu
file=$1
directory=$2
shift 2
lufbed=${LUFBED:-./lufbed}
id=${ID:-pool-$(date +%s)}
mkdir -p "$directory"
shard=0
for host; do
  shard=$((shard + 1))
  history=lufbed-$id-$shard.db
  # A scenario that failed, 1, is a result like any other. The history comes back by the same way as the command goes.
  ${SSH:-ssh} "$host" "cd '$PWD' && { '$lufbed' campaign '$file' --shard $shard/$# --id '$id' --history '/tmp/$history' \
      ${ARGS:---machine libvirt --connect qemu:///system} >&2 || [ \$? -eq 1 ]; } && cat '/tmp/$history'" \
    > "$directory/$shard.part" 2> "$directory/$shard.log" && mv "$directory/$shard.part" "$directory/$shard.db" &
done
wait
"$lufbed" merge --history "$directory/history.db" "$directory"/[0-9]*.db
"$lufbed" history last --history "$directory/history.db"
for ((i = 1; i <= shard; i++)); do
  [ -f "$directory/$i.db" ] || { echo "shard $i did not end, see $directory/$i.log; the same ID goes on with it" >&2 && exit 3; }
done
