#!/bin/bash
# title: files and directories that SLURM opens for a job: input, output, chdir
# door: slurm
secret=/home/alice/secret.txt
sbatch -Q --wait -w "$NODE" -n1 -i "$secret" -o "$WORK/input" --wrap 'echo read:; cat'
sbatch -Q --wait -w "$NODE" -n1 -o "/home/alice/drop/$USER-out" --wrap 'echo mine'
sbatch -Q --wait -w "$NODE" -n1 -D /home/alice -o "$WORK/chdir" --wrap 'ls; cat secret.txt; ls ..'
sbatch -Q --wait -w "$NODE" -n1 -D /home/alice -i secret.txt -o "$WORK/relative" --wrap 'cat'
srun -Q -w "$NODE" -n1 -i "$secret" cat
srun -Q -w "$NODE" -n1 -i '/home/alice/secret%%.txt' cat
srun -Q -w "$NODE" -n1 -i "/home/%u/../alice/secret.txt" cat
srun -Q -w "$NODE" -n1 -D /home/alice bash -c 'ls; cat secret.txt; ls ..'
srun -Q -w "$NODE" -n1 -o "/home/alice/drop/$USER-%t" echo mine
sbatch -Q --wait -w "$NODE" -n1 -o "$WORK/done" --wrap 'echo' && echo "tried: jobs with files of others"
cat "$WORK"/*
exit 0
