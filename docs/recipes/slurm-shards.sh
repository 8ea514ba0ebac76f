#!/usr/bin/env bash
#SBATCH --job-name=lufbed
#SBATCH --array=1-4
#SBATCH --cpus-per-task=2
#SBATCH --mem=3G
#SBATCH --time=12:00:00
#SBATCH --requeue
# A campaign as an array of jobs, one shard each, and a job that merges their histories. From the project's root, which all nodes
# see, and where `./lufbed kernel` and `./lufbed list parts` have built what is needed:
#   job=$(sbatch --parsable docs/recipes/slurm-shards.sh FILE DIRECTORY)
#   sbatch --dependency=afterany:$job docs/recipes/slurm-merge.sh DIRECTORY
# Further arguments go to `lufbed campaign`. A job that is requeued goes on where it was, since the id is that of the array.
set -eu
file=$1
directory=$2
shift 2
mkdir -p "$directory"
exec "${LUFBED:-./lufbed}" campaign "$file" --shard "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT" --id "slurm-$SLURM_ARRAY_JOB_ID" \
  --history "$directory/$SLURM_ARRAY_TASK_ID.db" --runs "$directory/runs-$SLURM_ARRAY_TASK_ID" "$@"
