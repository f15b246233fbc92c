#!/bin/bash
# title: srun --container with a bundle of the user's own
# door: slurm
mkdir -p "$WORK/bundle/rootfs"
printf '{"ociVersion":"1.0.0","process":{"cwd":"/","args":["ls","/home"]},"root":{"path":"/"},"linux":{"namespaces":[]}}' >"$WORK/bundle/config.json"
srun -Q -w "$NODE" -n1 --container="$WORK/bundle" "$ATTACK/probe" 2>&1
echo "tried: a bundle"
