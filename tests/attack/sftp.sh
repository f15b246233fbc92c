#!/bin/bash
# title: sftp, also through /proc/self/fd and /proc/self/root
# door: ssh
cd "$WORK" || exit
printf -- '-%s\n' "ls -1 /home" "ls -1 /vault" "ls -1 /home/alice/.." "ls -1 /proc/self/root/home" "ls -1 /proc/1/root/home" \
    "ls -1 /proc/self/cwd/../../home" "get /home/alice/secret.txt 1" "get /proc/self/root/home/alice/secret.txt 2" \
    "symlink / $WORK/top" "ls -1 $WORK/top/home" >commands
for ((fd = 0; fd < 24; fd++)); do
    printf -- '-%s\n' "ls -1 /proc/self/fd/$fd/home" "ls -1 /proc/self/fd/$fd/../home" "ls -1 /proc/self/fd/$fd/../../home" \
        "get /proc/self/fd/$fd/home/alice/secret.txt $fd.fd"
done >>commands
echo "pwd" >>commands
for subsystem in sftp /usr/lib/openssh/sftp-server; do
    if sftp -q -o BatchMode=yes -s "$subsystem" -b commands "$USER@$NODE" >out 2>/dev/null; then
        echo "tried: sftp with $subsystem"
    fi
    grep -v '^sftp>' out | sed 's,.*/,,'
done
cat [0-9]* 2>/dev/null
exit 0
