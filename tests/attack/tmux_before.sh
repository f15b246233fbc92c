#!/bin/bash
# title: a tmux from before the policy
# door: any
# before: tmux -S "$WORK/tmux" new-session -d
# expect: documented
tmux -S "$WORK/tmux" run-shell "'$ATTACK/probe' >'$WORK/out'; echo ran >>'$WORK/out'"
for ((i = 0; i < 50; i++)); do
    if grep -qs '^ran' "$WORK/out"; then
        echo "tried: a command of the old server"
        break
    fi
    sleep 0.1
done
cat "$WORK/out"
