#!/bin/bash
# title: root, cwd and fd of every process below /proc
# door: any
exec 8</ 9</home
sleep 60 &
echo "tried: $(find /proc -maxdepth 1 -name '[0-9]*' 2>/dev/null | wc -l) processes"
for process in /proc/[0-9]*; do
    "$ATTACK/probe" "$process/root" "$process/cwd" "$process/cwd/.." "$process/cwd/../.."
    for link in "$process"/fd/*; do
        [[ ! -d $link ]] || "$ATTACK/probe" "$link" "$link/.." "$link/../.."
    done
done 2>/dev/null
kill %1
