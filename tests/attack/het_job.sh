#!/bin/bash
# title: a job of several components
# door: slurm
[[ $NODE == c1 ]] && other=c2 || other=c1
srun -Q -w "$NODE" -n1 "$ATTACK/probe" : -w "$other" -n1 true && echo "tried: two components"
