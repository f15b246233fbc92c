#!/usr/bin/env python3
"""Runs attacks as the user whose session this is: drive.py JOBS.json, where each job is {name, timeout, env}. Several at a time, each
in a process group of its own; prints {name: [output, seconds]} as JSON."""

import concurrent.futures
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
AT_ONCE = 10


def attack(job):
    work = pathlib.Path(job["env"]["WORK"])
    work.mkdir(parents=True, exist_ok=True)
    script = HERE / job["name"]
    path = "/usr/local/sbin:/usr/sbin:/sbin:" + os.environ.get("PATH", "/usr/bin:/bin")
    environment = dict(os.environ, PATH=path, **job["env"])
    command = ["python3" if script.suffix == ".py" else "bash", str(script)]
    start = time.monotonic()
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=work,
                          env=environment, start_new_session=True) as process:
        try:
            said = process.communicate(timeout=job["timeout"])[0]
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            said = process.communicate()[0] + b"\nno end in time\n"
        try:
            os.killpg(process.pid, signal.SIGKILL)  # what it left behind
        except ProcessLookupError:
            pass
    return job["name"], [said.decode(errors="replace"), time.monotonic() - start]


def main():
    jobs = json.loads(pathlib.Path(sys.argv[1]).read_text())
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        print(json.dumps(dict(pool.map(attack, jobs))))


if __name__ == "__main__":
    main()
