#!/bin/bash
# title: ptrace of a process from before the policy
# door: any
# before: mkfifo "$WORK/fifo"; echo mine >"$WORK/note-with-a-name-that-is-long-enough-for-another"; setsid nohup bash -c 'echo $$ >"$WORK/pid"; exec 9<>"$WORK/fifo"; while :; do read -rt 0.3 -u 9; read -r line <"$WORK/note-with-a-name-that-is-long-enough-for-another" && echo "$line"; done' >"$WORK/out" 2>/dev/null </dev/null &
# expect: documented
# The old process opens the same file again and again; the path is exchanged as it enters the call.
path=$(printf '%s\0' /home/alice/secret.txt | od -An -v -tx1 | sed 's/ /\\x/g' | tr -d '\n')
timeout 5 strace -p "$(cat "$WORK/pid")" -e trace=openat -e inject="openat:poke_enter=@arg2=${path//\\x/}" >"$WORK/trace" 2>&1
if grep -q 'attached' "$WORK/trace"; then echo "tried: strace of process $(cat "$WORK/pid")"; fi
tail -n 3 "$WORK/trace"
sort -u "$WORK/out"
