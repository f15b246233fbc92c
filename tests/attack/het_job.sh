#!/bin/bash
# title: a job of several components
# door: slurm
other=c2
srun -Q -w "$NODE" -n1 "$ATTACK/probe" : -w "$other" -n1 true && echo "tried: two components"
