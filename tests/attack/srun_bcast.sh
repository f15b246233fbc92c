#!/bin/bash
# title: srun --bcast of a program
# door: slurm
srun -Q -w "$NODE" -n1 --bcast="/tmp/attack-$USER-$$" "$ATTACK/probe"
# It is put into the host's /tmp, and run from the view's.
cp /bin/ls "$WORK/list"
srun -Q -w "$NODE" -n1 --bcast="/tmp/attack-ls-$USER-$$" "$WORK/list" /home 2>&1
srun -Q -w "$NODE" -n1 bash -c "rm -f /tmp/attack-$USER-$$ /tmp/attack-ls-$USER-$$" && echo "tried: a program that SLURM carried"
