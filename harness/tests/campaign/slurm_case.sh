#!/usr/bin/env bash
# Slurm of Debian, on this machine alone: an array of 4 shards and the merge behind it have the results of one whole run.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"
PATH=$PATH:/usr/sbin
for tool in slurmctld slurmd sbatch munged; do command -v $tool > /dev/null || skip "no $tool"; done
more='repeats = 1'
campaign_file 5 on-1 violation
campaign
history last --ktap "$work/whole"

# ---- a cluster of one node, with nothing of it outside of $work
chmod 755 "$work"
mkdir -m 755 "$work/munge" "$work/spool" "$work/state"
head -c 1024 /dev/urandom > "$work/key" && chmod 400 "$work/key"
munged --foreground --force --key-file "$work/key" --socket "$work/munge/socket" --pid-file "$work/munge/pid" \
  --seed-file "$work/munge/seed" --log-file "$work/munge/log" > "$work/munged" 2>&1 &
servers+=($!)
port=$((20000 + RANDOM % 20000))
user=$(id -un)
cat > "$work/slurm.conf" << END
ClusterName=lufbed
SlurmctldHost=$(hostname -s)(127.0.0.1)
SlurmctldPort=$port
SlurmdPort=$((port + 1))
SlurmUser=$user
SlurmdUser=$user
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket=$work/munge/socket
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
ReturnToService=2
SlurmdParameters=config_overrides
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
NodeName=$(hostname -s) NodeAddr=127.0.0.1 CPUs=8 RealMemory=16000
PartitionName=all Nodes=ALL Default=YES
END
export SLURM_CONF=$work/slurm.conf
slurmctld -D > "$work/slurmctld" 2>&1 &
servers+=($!)
slurmd -D > "$work/slurmd" 2>&1 &
servers+=($!)
for _ in $(seq 60); do
  sinfo -h -o %T 2> /dev/null | grep -q '^idle' && break
  sleep 0.5
done
sinfo > "$log" 2>&1
sinfo -h -o %T | grep -q '^idle' || { tail -n 5 "$work/munged" "$work/slurmctld" "$work/slurmd" >> "$log"; die "no node came up"; }

export LUFBED=$lufbed
cd "$work" || exit 1
array=$(sbatch --parsable "$source/docs/recipes/slurm-shards.sh" "$work/night.toml" "$work/shards" --accel tcg --qemu "$here/replay_qemu")
sbatch --wait --dependency="afterany:$array" "$source/docs/recipes/slurm-merge.sh" "$work/shards" > "$work/sbatch" 2>&1
code=$?
cat "$work"/sbatch "$work"/slurm-*.out > "$log" 2>&1
[ $code -eq 0 ] || die "the merge ended with $code"
[ "$(grep -c ': [1-9][0-9]* runs added$' "$log")" -eq 4 ] || die "not 4 shards with runs"
"$lufbed" history last --history "$work/shards/history.db" --ktap "$work/merged"
diff <(grep -v '# again' "$work/whole") <(grep -v '# again' "$work/merged") || die "not the same results"
[ "$(grep -cE '^(not )?ok' "$work/merged")" -eq 10 ] || die "not 10 cases"
