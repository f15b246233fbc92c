"""An administrator's directory with keys, trust files and policies, and jail-policy to run in it.

usage of a test: test_NAME.py JAIL-POLICY [unittest arguments]
"""

import base64
import datetime
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
import verdict  # tests/verdict.py, for every folder of tests

PROGRAM = os.path.abspath(sys.argv.pop(1)) if len(sys.argv) > 1 else ""


def stamp(days):
    """The time so many days from now, as a policy says it."""
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


def policy(version=1, cluster="alpha", expires=30, **more):
    return {
        "format": 1, "cluster": cluster, "version": version, "issued": stamp(-60), "expires": stamp(expires),
        "jails": {"guest": {"confine": "chroot", "root": "/var/lib/clusterjail/roots/%u",
                            "mounts": [{"bind": "/usr", "options": ["ro"]}, {"bind": "/home/%u"}]}},
        "rules": [{"users": ["foo"], "jail": "guest"}], **more}


class Workshop(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        if not PROGRAM:
            self.fail("usage: test_NAME.py JAIL-POLICY")
        holder = tempfile.TemporaryDirectory(prefix="jail-policy-test-")
        self.addCleanup(holder.cleanup)
        self.dir = pathlib.Path(holder.name)

    def run_program(self, *arguments, stdin=None, **options):
        return subprocess.run([PROGRAM, *map(str, arguments)], cwd=self.dir, input=stdin, capture_output=True,
                              text=True, timeout=60, check=False, **options)

    def good(self, *arguments, **options):
        """Runs it; it has to succeed. Returns what it printed."""
        done = self.run_program(*arguments, **options)
        self.assertEqual(done.returncode, 0, f"{arguments}: {done.stdout}{done.stderr}")
        return done.stdout

    def refused(self, expected, *arguments, code=1, **options):
        """Runs it; it has to fail with code, say expected on stderr and nothing on stdout. Returns stderr."""
        done = self.run_program(*arguments, **options)
        self.assertEqual(done.returncode, code, f"{arguments}: {done.stdout}{done.stderr}")
        self.assertIn(expected, done.stderr)
        self.assertEqual(done.stdout, "")
        return done.stderr

    def usage(self, expected, *arguments):
        self.assertIn("usage: jail-policy ", self.refused(expected, *arguments, code=64))

    def keys(self, *names):
        return [self.good("keygen", "--out", name).strip() for name in names]

    def trust(self, *names, threshold=1, cluster="alpha", out="trust.json"):
        keys = [word for name in names for word in ("--key", f"{name}.pub")]
        return self.good("trust", "init", "--cluster", cluster, *keys, "--threshold", threshold, "-o", out)

    def write(self, name, content):
        (self.dir / name).write_text(content if isinstance(content, str) else json.dumps(content, indent=1))
        return name

    def sign(self, content, *names, out="envelope"):
        keys = [word for name in names for word in ("--key", f"{name}.key")]
        self.good("sign", self.write(f"{out}.json", content), *keys, "-o", out)
        return out

    def envelope(self, name="envelope"):
        return json.loads((self.dir / name).read_text())

    def payload(self, name="envelope"):
        return base64.b64decode(self.envelope(name)["payload"])
