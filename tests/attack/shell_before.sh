#!/bin/bash
# title: a shell from before the policy, fed by a fifo
# door: any
# before: mkfifo "$WORK/fifo"; setsid nohup bash -c 'while read -r line; do eval "$line"; done <>"$WORK/fifo"' >/dev/null 2>&1 </dev/null &
# expect: documented
echo "'$ATTACK/probe' >'$WORK/out'; echo ran >>'$WORK/out'" >"$WORK/fifo"
for ((i = 0; i < 50; i++)); do
    if grep -qs '^ran' "$WORK/out"; then
        echo "tried: a command of the old shell"
        break
    fi
    sleep 0.1
done
cat "$WORK/out"
