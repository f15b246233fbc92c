#!/bin/bash
# title: a job array
# door: slurm
sbatch -Q --wait --array=0-2 -w "$NODE" -n1 -o "$WORK/out-%a" --wrap "'$ATTACK/probe'; srun '$ATTACK/probe'" &&
    echo "tried: $(find "$WORK" -name 'out-*' | wc -l) jobs of an array"
cat "$WORK"/out-*
