#!/bin/bash
# title: a systemd manager from before the policy
# door: any
# before: tmux -S "$WORK/tmux" new-session -d
# expect: documented
for manager in $(pgrep -u "$UID" -x systemd); do
    echo "tried: the root of process $manager"
    "$ATTACK/probe" "/proc/$manager/root"
done
