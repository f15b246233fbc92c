"""jail-policyd on a port of loopback, serving a directory that jail-policy published to.

usage of a test: test_NAME.py JAIL-POLICYD JAIL-POLICY [unittest arguments]
"""

import http.client
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
import verdict  # tests/verdict.py, for every folder of tests

POLICYD, POLICY = (os.path.abspath(sys.argv.pop(1)) for _ in range(2)) if len(sys.argv) > 2 else ("", "")
OTHER = 65534  # nobody: whoever runs the tests is root, and the endpoint must not be


class Answer:
    def __init__(self, response):
        self.status, self.reason = response.status, response.reason
        self.headers, self.body = response.headers, response.read()

    def header(self, name):
        return self.headers.get(name)


class Server:
    """A running jail-policyd; its log grows in log."""

    def __init__(self, directory, *arguments, listen="127.0.0.1:0", user=OTHER):
        def leave_root():
            os.setgroups([])
            os.setgid(user)
            os.setuid(user)
        self.log = []
        self.process = subprocess.Popen([POLICYD, "--dir", str(directory), "--listen", listen, *arguments], text=True,
                                        stderr=subprocess.PIPE, preexec_fn=leave_root if user else None)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        found = self.wait_for(r" at (\S+):(\d+)$")
        self.host, self.port = found.group(1).strip("[]"), int(found.group(2))

    def read(self):
        for line in self.process.stderr:
            self.log.append(line.rstrip("\n"))

    def wait_for(self, pattern, seconds=10):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for line in list(self.log):
                found = re.search(pattern, line)
                if found:
                    return found
            if self.process.poll() is not None and not self.reader.is_alive():
                break
            time.sleep(0.01)
        raise AssertionError(f"no line {pattern!r} in {self.log}")

    def connect(self, timeout=10):
        return http.client.HTTPConnection(self.host, self.port, timeout=timeout)

    def request(self, method="GET", path="/v1/policy.json", headers=None, body=None):
        connection = self.connect()
        try:
            connection.request(method, path, headers=headers or {}, body=body)
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def stop(self):
        """Its exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        code = self.process.wait(timeout=20)
        self.reader.join(timeout=5)
        self.process.stderr.close()
        return code


class Published(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        if not POLICYD:
            self.fail("usage: test_NAME.py JAIL-POLICYD JAIL-POLICY")
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="jail-endpoint-"))
        self.addCleanup(shutil.rmtree, self.dir)
        self.dir.chmod(0o755)
        self.public = self.dir / "public"
        self.public.mkdir()
        self.version = 0
        self.policy("keygen", "--out", "admin")

    @property
    def file(self):
        return self.public / "v1" / "policy.json"

    def policy(self, *words):
        return subprocess.run([POLICY, *map(str, words)], cwd=self.dir, check=True, capture_output=True, text=True).stdout

    def publish(self):
        """A new version; returns its bytes."""
        self.version += 1
        day = lambda days: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + days * 86400))
        (self.dir / "policy").write_text(json.dumps({
            "format": 1, "cluster": "alpha", "version": self.version, "issued": day(-1), "expires": day(30),
            "jails": {"guest": {"confine": "chroot", "root": "/var/lib/clusterjail/roots/guest", "shared": True,
                                "mounts": [{"bind": "/usr"}]}},
            "rules": [{"users": ["foo"], "jail": "guest"}]}))
        (self.dir / "envelope").unlink(missing_ok=True)
        self.policy("sign", "policy", "--key", "admin.key", "-o", "envelope")
        self.policy("publish", "envelope", "--to", self.public)
        return self.file.read_bytes()

    def start(self, *arguments, **options):
        server = Server(self.public, *arguments, **options)
        self.addCleanup(server.stop)
        return server

    def run_policyd(self, *arguments, user=None):
        return subprocess.run([POLICYD, *map(str, arguments)], capture_output=True, text=True, timeout=20, check=False,
                              user=user)
