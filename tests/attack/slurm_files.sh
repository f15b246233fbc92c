#!/bin/bash
# title: files and directories that SLURM opens for a job: input, output, chdir
# door: slurm
secret=/home/alice/secret.txt
batch() { sbatch -Q -J attack-files -w "$NODE" -n1 "$@"; }
# A file that cannot be opened leaves some releases of srun waiting.
step() { timeout -k 3 20 srun -Q -w "$NODE" -n1 "$@"; }
look='ls; cat secret.txt; ls ..'
batch -i "$secret" -o "$WORK/1" --wrap 'echo read:; cat'
batch -D /home/alice -o "$WORK/2" --wrap "$look"
batch -D /home/alice -i secret.txt -o "$WORK/3" --wrap 'cat'
batch -o "/home/alice/drop/$USER-out" --wrap 'echo mine'
step -i "$secret" cat &
step -i "/home/alice/secret%%.txt" cat &
step -i "/home/%u/../alice/secret.txt" cat &
step -D /home/alice bash -c "$look" &
step -o "/home/alice/drop/$USER-%t" echo mine &
batch -o "$WORK/own" --wrap 'echo ran'
wait
# Not sbatch --wait, which looks ever more seldom.
for ((i = 0; i < 120; i++)); do
    [[ -n $(squeue -h -u "$USER" -n attack-files) ]] || break
    sleep 0.5
done
! grep -qs '^ran' "$WORK/own" || echo "tried: jobs with files of others"
cat "$WORK"/*
exit 0
