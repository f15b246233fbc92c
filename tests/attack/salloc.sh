#!/bin/bash
# title: salloc, its shell and steps in it
# door: slurm
salloc -Q -w "$NODE" -n1 bash -c '"$ATTACK/probe"; srun "$ATTACK/probe" && srun --pty "$ATTACK/probe" && echo "tried: steps of an allocation"'
