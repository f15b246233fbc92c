#!/bin/bash
# title: mknod of the disks
# door: any
# blind: yes
echo "tried: mknod"
try='while read -r major minor _ name; do
    [[ $major =~ ^[0-9]+$ ]] || continue
    mknod "$WORK/disk-$name" b "$major" "$minor" && echo "made $name" && head -c 4096 "$WORK/disk-$name" >/dev/null && echo "leaked: read $name"
    for disk in "/dev/$name" "/proc/self/root/dev/$name"; do
        [[ ! -r $disk ]] || echo "leaked: can read $disk"
    done
done </proc/partitions
mknod "$WORK/mem" c 1 1 && head -c 1 "$WORK/mem" >/dev/null && echo "leaked: read memory"'
bash -c "$try" 2>&1 | sort | uniq -c
unshare -Urm bash -c "$try" 2>&1 | sort | uniq -c
