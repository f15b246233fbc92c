#!/bin/bash
# title: plain binds in a user namespace, which take nothing that is mounted below
# door: any
inside='mkdir -p "$WORK/m"
for source in / /home /.. /proc/self/root /proc/self/cwd/../..; do
    mount --bind "$source" "$WORK/m" && "$ATTACK/probe" "$WORK/m" "$WORK/m/.." && umount "$WORK/m"
    mount --rbind "$source" "$WORK/m" && umount -l "$WORK/m/home"
    "$ATTACK/probe" "$WORK/m"
    umount -l "$WORK/m"
done
mount --move /home "$WORK/m"; "$ATTACK/probe"
mount -o remount,rw /home; "$ATTACK/probe"
mount -t proc proc "$WORK/m" && "$ATTACK/probe" "$WORK/m/1/root" "$WORK/m/self/root"'
echo "tried: $(unshare -Urm true 2>&1 && echo a user namespace)"
unshare -Urm --propagation private bash -c "$inside" 2>/dev/null
unshare -Urmpf --propagation private bash -c "$inside" 2>/dev/null
