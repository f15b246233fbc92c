#!/bin/bash
# title: sattach to a step
# door: slurm
job=$(sbatch --parsable -w "$NODE" -n1 -o /dev/null --wrap "srun bash -c 'while sleep 0.5; do \"$ATTACK/probe\"; echo ran; done'")
for ((i = 0; i < 60; i++)); do
    ! squeue -h -s -j "$job" | grep -q "^ *$job\.0 " || break
    sleep 0.5
done
for ((i = 0; i < 10; i++)); do
    timeout 4 sattach "$job.0" >"$WORK/out" 2>/dev/null
    if grep -q '^ran' "$WORK/out"; then
        echo "tried: the output of a step"
        break
    fi
done
cat "$WORK/out"
scancel "$job"
