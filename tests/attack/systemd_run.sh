#!/bin/bash
# title: systemd-run --user
# door: ssh
export XDG_RUNTIME_DIR=/run/user/$UID
systemd-run --user --quiet bash -c "'$ATTACK/probe' >'$WORK/out'; echo ran >>'$WORK/out'"
for ((i = 0; i < 100; i++)); do
    if grep -qs '^ran' "$WORK/out"; then
        echo "tried: a service of the user's manager"
        break
    fi
    sleep 0.1
done
cat "$WORK/out"
