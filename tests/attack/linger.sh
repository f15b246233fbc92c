#!/bin/bash
# title: a lingering manager of the user's own wish
# door: ssh
timeout 5 loginctl enable-linger 2>&1
for manager in $(pgrep -u "$UID" -x systemd); do
    [[ ! -d /proc/$manager ]] || echo "tried: the root of process $manager"
    "$ATTACK/probe" "/proc/$manager/root" "/proc/$manager/cwd"
done
timeout 5 loginctl disable-linger >/dev/null 2>&1
exit 0
