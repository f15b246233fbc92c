#!/bin/bash
# title: ssh to the node itself and to the others
# door: any
for target in $TARGETS; do
    ssh -o BatchMode=yes "$USER@$target" "'$ATTACK/probe'; echo tried: $target" 2>/dev/null
    ssh -tt -o BatchMode=yes "$USER@$target" "'$ATTACK/probe'" 2>/dev/null
done
