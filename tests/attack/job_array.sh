#!/bin/bash
# title: a job array
# door: slurm
sbatch -Q -J attack-array --array=0-2 -w "$NODE" -n1 -o "$WORK/out-%a" --wrap "'$ATTACK/probe'; srun '$ATTACK/probe'; echo ran" || exit
for ((i = 0; i < 120; i++)); do
    if (($(grep -ls '^ran' "$WORK"/out-* | wc -l) == 3)); then
        echo "tried: three jobs of an array"
        break
    fi
    sleep 0.5
done
cat "$WORK"/out-*
