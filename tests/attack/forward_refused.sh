#!/bin/bash
# title: ssh -N -L, sftp and a command after a session that was refused
# door: outside
# shellcheck source=tests/attack/forwards
. "$ATTACK/forwards"
forwards "$USER@$NODE"
printf -- '-%s\n' 'ls -1 /home' 'get /home/alice/secret.txt 1' >commands
sftp -q -b commands "$USER@$NODE" 2>/dev/null | grep -v '^sftp>' | sed 's,.*/,,'
ssh -o BatchMode=yes "$USER@$NODE" "$ATTACK/probe" 2>/dev/null
ssh -tt -o BatchMode=yes "$USER@$NODE" "$ATTACK/probe" 2>/dev/null
cat 1 2>/dev/null
exit 0
