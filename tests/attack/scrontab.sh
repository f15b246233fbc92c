#!/bin/bash
# title: a job of scrontab
# door: slurm
# blind: yes
# needs: scrontab
trap 'scrontab -r' EXIT
printf '#SCRON -w %s -o %s/out\n* * * * * "%s/probe"; echo ran\n' "$NODE" "$WORK" "$ATTACK" | scrontab - 2>&1 | tee "$WORK/said"
if grep -q 'disabled' "$WORK/said"; then
    echo "tried: scrontab, which this cluster has turned off"
    exit
fi
for ((i = 0; i < 80; i++)); do
    if grep -qs '^ran' "$WORK/out"; then
        echo "tried: a job of scrontab"
        break
    fi
    sleep 1
done
cat "$WORK/out"
