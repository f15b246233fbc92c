#!/bin/bash
# title: sbcast into a directory that the view hides
# door: slurm
# expect: documented
echo mine >"$WORK/file"
salloc -Q -w "$NODE" -n1 bash -c 'sbcast -f "$WORK/file" "/home/alice/drop/$USER" && echo "tried: sbcast" && echo "leaked: wrote into a hidden directory"'
