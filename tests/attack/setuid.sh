#!/bin/bash
# title: setuid helpers: mount, umount, fusermount3, su, sudo, pkexec, newgrp
# door: any
found=$(type -p mount umount fusermount3 fusermount su sudo pkexec newgrp)
echo "tried: ${found//$'\n'/ }"
{
    umount /home
    umount -l /home
    umount -l /vault
    umount "/home/$USER"
    mount /home
    mount -o remount /home
    mount --bind / /mnt
    "$ATTACK/probe" "" /mnt
    for user in root alice; do
        timeout 5 sudo -n -u "$user" "$ATTACK/probe"
        timeout 5 su "$user" -c "$ATTACK/probe"
        echo "$PASSWORD" | timeout 10 su "$user" -c "$ATTACK/probe"
    done
    timeout 5 sudo -n -u "$USER" "$ATTACK/probe"
    timeout 5 pkexec "$ATTACK/probe"
    timeout 5 newgrp staff <<<"$ATTACK/probe"
    mkdir -p "$WORK/m" && timeout 5 fusermount3 -u /home
} </dev/null 2>/dev/null
exit 0
