#!/bin/bash
# title: srun --overlap and --jobid, into a running job
# door: slurm
job=$(sbatch --parsable -w "$NODE" -n1 -o /dev/null --wrap 'sleep 60')
for ((i = 0; i < 60; i++)); do
    [[ $(squeue -h -j "$job" -o %T) != RUNNING ]] || break
    sleep 0.5
done
srun --jobid "$job" --overlap "$ATTACK/probe" && echo "tried: a step in a running job"
scancel "$job"
