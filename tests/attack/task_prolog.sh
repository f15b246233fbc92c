#!/bin/bash
# title: the user's own TaskProlog and TaskEpilog, and srun's
# door: slurm
printf '#!/bin/sh\n"%s/probe" >>"%s/out-$(hostname)"\necho ran >>"%s/out-$(hostname)"\n' "$ATTACK" "$WORK" "$WORK" >"$WORK/prolog"
chmod +x "$WORK/prolog"
srun -Q -w "$NODE" -n1 --task-prolog="$WORK/prolog" --task-epilog="$WORK/prolog" true
srun -Q -w "$NODE" -n1 --prolog="$WORK/prolog" --epilog="$WORK/prolog" true
! grep -qs '^ran' "$WORK/out-$NODE" || echo "tried: programs that SLURM ran on $NODE"
cat "$WORK"/out-*
