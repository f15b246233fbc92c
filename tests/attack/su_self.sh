#!/bin/bash
# title: su to oneself, with the password
# door: any
printf '%s\n' "$PASSWORD" | timeout 20 su - "$USER" -c "'$ATTACK/probe'; echo tried: su" 2>/dev/null
printf '%s\n' "$PASSWORD" | timeout 20 su "$USER" -c "'$ATTACK/probe'" 2>/dev/null
