#!/bin/bash
# title: a forged marker, before the eyes of jail-agent --audit
# door: any
# before: setsid nohup unshare -Urm --propagation private bash "$ATTACK/marker_before.sh" forge >/dev/null 2>&1 </dev/null &
# judge: audit
# The audit has to name this process all the same.
if [[ ${1:-} == forge ]]; then
    for inside in /proc/[0-9]*; do
        mount --bind "$inside/root/run/clusterjail" /run/clusterjail
    done 2>/dev/null
    mount -t tmpfs clusterjail /run/clusterjail
    mkdir -p /run/clusterjail/marker/partner/"$UID"
    mount --bind /run/clusterjail/marker/partner/"$UID" /run/clusterjail
    mount -t tmpfs clusterjail /var/lib/clusterjail
    echo $$ >"$WORK/pid"
    while sleep 1; do :; done
fi
forger=$(cat "$WORK/pid")
! grep -q ' /run/clusterjail ' "/proc/$forger/mountinfo" || echo "tried: process $forger with its own /run/clusterjail"
echo "forged: $forger"
