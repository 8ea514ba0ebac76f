#!/usr/bin/env bash
#SBATCH --job-name=lufbed-merge
#SBATCH --time=00:10:00
# Makes one history, DIRECTORY/history.db, of those of the shards (slurm-shards.sh), and shows the campaign.
set -eu
lufbed=${LUFBED:-./lufbed}
"$lufbed" merge --history "$1/history.db" "$1"/[0-9]*.db
"$lufbed" history last --history "$1/history.db"
