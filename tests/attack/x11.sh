#!/bin/bash
# title: X11 forwarding of ssh and srun
# door: ssh
export DISPLAY=:77
ssh -X -o BatchMode=yes -o ForwardX11Timeout=0 "$USER@$NODE" "'$ATTACK/probe'; echo tried: a session with X11 asked for" 2>/dev/null
ssh -Y -o BatchMode=yes "$USER@$NODE" "'$ATTACK/probe'" 2>/dev/null
srun -Q -n1 --x11 "$ATTACK/probe" 2>&1
exit 0
