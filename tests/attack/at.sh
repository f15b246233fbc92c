#!/bin/bash
# title: an at job
# door: any
echo "'$ATTACK/probe' >'$WORK/out'; echo ran >>'$WORK/out'" | at now 2>/dev/null || exit
for ((i = 0; i < 60; i++)); do
    if grep -qs '^ran' "$WORK/out"; then
        echo "tried: a job that atd ran"
        break
    fi
    sleep 0.5
done
cat "$WORK/out"
