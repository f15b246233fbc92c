#!/bin/bash
# title: a cron job
# door: any
trap 'crontab -r' EXIT
echo "* * * * * '$ATTACK/probe' >'$WORK/out'; echo ran >>'$WORK/out'" | crontab - || exit
for ((i = 0; i < 75; i++)); do
    if grep -qs '^ran' "$WORK/out"; then
        echo "tried: a job that cron ran"
        break
    fi
    sleep 1
done
cat "$WORK/out"
