#!/bin/bash
# title: umount in a user namespace
# door: any
inside='umount -l /home; umount /home; umount -l /vault; umount -R /home; "$ATTACK/probe"; umount -l /; "$ATTACK/probe"'
# A kernel that refuses the namespace (in a chroot it does) has held.
echo "tried: $(unshare -Urm true 2>&1 && echo a user namespace)"
for propagation in private unchanged slave; do
    unshare -Urm --propagation "$propagation" bash -c "$inside" 2>/dev/null
done
