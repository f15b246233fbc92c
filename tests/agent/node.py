"""A node of one test: its own tmpfs on /mnt, its own users, an administrator with a key, and a server to ask.

The programs come as NAME=PATH on the command line; ctest starts each file in namespaces of its own.
"""

import contextlib
import hashlib
import http.server
import json
import os
import pathlib
import subprocess
import sys
import threading
import unittest

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
import verdict  # tests/verdict.py, for every folder of tests

PROGRAMS = dict(word.split("=", 1) for word in sys.argv[1:])
TOP = pathlib.Path("/mnt")
STATE, RUN, ETC, HOME = TOP / "state", TOP / "run", TOP / "etc", TOP / "home"
ROOT = STATE / "roots" / "partner"
ENVELOPE, ACCEPTED, CACHE = STATE / "policy.envelope", STATE / "accepted.json", STATE / "policy.cache"
STATUS = RUN / "status.json"
CONFIG, TRUST = ETC / "agent.conf", ETC / "trust.json"
CHROOT_CONF = (ETC / "chroot.conf", ETC / "security" / "chroot.conf")

# LeakSanitizer does not work under ptrace.
TRACED = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0"}

PASSWD = """root:x:0:0:root:/root:/bin/sh
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
foo:x:5001:5001::/mnt/home/foo:/bin/sh
bar:x:5002:5002::/mnt/home/bar:/bin/sh
alice:x:5003:5003::/mnt/home/alice:/bin/sh
"""
GROUP = """root:x:0:
nogroup:x:65534:
foo:x:5001:
bar:x:5002:
alice:x:5003:
partners:x:5100:bar
sudo:x:27:alice
"""
POLICY = {
    "format": 1, "cluster": "alpha", "version": 10, "issued": "2026-01-01T00:00:00Z", "expires": "2036-01-01T00:00:00Z",
    "jails": {"partner": {"confine": "chroot", "root": str(ROOT), "shared": True, "mounts": [
        {"bind": "/usr", "options": ["ro"]}, {"bind": "/bin"}, {"bind": "/lib"}, {"bind": "/lib64"}, {"bind": "/dev"},
        {"tmpfs": "/tmp", "size": "1M"}, {"bind": "/home/%u", "from": "/mnt/home/%u"},
        {"bind": "/home/spack", "from": "/mnt/home/spack"},
        {"bind": "/home/late", "from": "/mnt/home/late", "optional": True}]}},
    "rules": [{"users": ["foo"], "jail": "partner"}, {"groups": ["partners"], "jail": "partner"}],
}


class Result:
    def __init__(self, command, done):
        self.command, self.rc, self.out, self.err = command, done.returncode, done.stdout, done.stderr

    @property
    def text(self):
        return f"{self.command}\n-> {self.rc}\n{self.out}{self.err}"


def run(*command, timeout=60, **options):
    words = [str(word) for word in command]
    done = subprocess.run(words, capture_output=True, text=True, timeout=timeout, check=False, stdin=subprocess.DEVNULL, **options)
    return Result(" ".join(words), done)


def must(*command, **options):
    result = run(*command, **options)
    if result.rc != 0:
        raise AssertionError(result.text)
    return result


class Server:
    """HTTP on a loopback port. `serve` says what the next answers are: bytes, or a function of the request handler."""

    def __init__(self):
        self.serve = b""
        self.requests = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):  # the name is http.server's
                outer.requests.append(dict(self.headers))
                if callable(outer.serve):
                    self.close_connection = True
                    with contextlib.suppress(OSError):
                        outer.serve(self)
                    return
                tag = '"' + hashlib.sha256(outer.serve).hexdigest() + '"'
                if self.headers["If-None-Match"] == tag:
                    self.send_response(304)
                    self.send_header("ETag", tag)
                    self.end_headers()
                    return
                self.send_response(200)
                self.send_header("ETag", tag)
                self.send_header("Content-Length", str(len(outer.serve)))
                self.end_headers()
                self.wfile.write(outer.serve)

            def log_message(self, *_):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.http.handle_error = lambda *_: None  # agents that are killed hang up
        self.port = self.http.server_address[1]
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/v1/policy.json"

    def close(self):
        """Also frees the port: who asks now is refused."""
        if self.thread:
            self.http.shutdown()
            self.http.server_close()
            self.thread.join()
            self.thread = None


class NodeTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        must("mount", "-t", "tmpfs", "-o", "mode=755", "node", TOP)
        self.addCleanup(must, "umount", "-R", "-l", TOP)
        for path in (ETC / "security", HOME / "spack", TOP / "work"):
            path.mkdir(parents=True)
        for name, uid in (("foo", 5001), ("bar", 5002), ("alice", 5003)):
            (HOME / name).mkdir()
            (HOME / name / "own").write_text(name)
            os.chown(HOME / name, uid, uid)
        for name, text in (("passwd", PASSWD), ("group", GROUP)):
            (ETC / name).write_text(text)
            must("mount", "--bind", ETC / name, f"/etc/{name}")
            self.addCleanup(must, "umount", "-l", f"/etc/{name}")
        self.server = Server()
        self.addCleanup(self.server.close)
        self.keygen("main")
        must(PROGRAMS["policy"], "trust", "init", "--cluster", "alpha", "--key", self.key("main", "pub"), "-o", TRUST)
        self.configure()
        self.policy = json.loads(json.dumps(POLICY))

    @staticmethod
    def key(name, kind="key"):
        return TOP / "work" / f"{name}.{kind}"

    def keygen(self, name):
        must(PROGRAMS["policy"], "keygen", "--out", TOP / "work" / name)

    def configure(self, url=None, more=""):
        CONFIG.write_text(f"[policy]\nurl = {url or self.server.url}\ntrust = {TRUST}\ntimeout = 3\n"
                          f"[node]\nname = c1\n[paths]\nstate = {STATE}\nrun = {RUN}\n"
                          f"chroot_conf = {CHROOT_CONF[0]} {CHROOT_CONF[1]}\n{more}")

    def sign(self, policy, key="main"):
        """The envelope of a policy as bytes."""
        source, target = TOP / "work" / "policy.json", TOP / "work" / "envelope"
        source.write_text(json.dumps(policy))
        must(PROGRAMS["policy"], "sign", source, "--key", self.key(key), "-o", target)
        return target.read_bytes()

    def publish(self, change=None):
        """The policy, changed and with the next version, is what the server serves from now on."""
        if change:
            change(self.policy)
        self.policy["version"] += 1
        self.server.serve = self.sign(self.policy)
        return self.server.serve

    @staticmethod
    def agent(*arguments, config=CONFIG, **options):
        return run(PROGRAMS["agent"], *arguments, "--config", config, **options)

    def sync(self, *arguments, rc=0):
        result = self.agent("--sync", *arguments)
        self.assertEqual(result.rc, rc, result.text)
        return result

    def check(self, rc=0):
        result = self.agent("--check")
        self.assertEqual(result.rc, rc, result.text)
        return result

    def status(self):
        result = self.agent("--status", "--json")
        self.assertEqual(result.rc, 0, result.text)
        return json.loads(result.out)

    @staticmethod
    def mounts():
        """Mount points below the roots, in the kernel's order."""
        lines = pathlib.Path("/proc/self/mountinfo").read_text().splitlines()
        return [line.split()[4] for line in lines if line.split()[4].startswith(str(STATE))]

    @staticmethod
    def mount_lines():
        lines = pathlib.Path("/proc/self/mountinfo").read_text().splitlines()
        return [line for line in lines if line.split()[4].startswith(str(STATE))]

    @staticmethod
    def seen(path="home"):
        return sorted(os.listdir(ROOT / path))

    @staticmethod
    def kept():
        """All that must not change when nothing is accepted."""
        files = {path: (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ino)
                 for path in (ENVELOPE, ACCEPTED, CACHE, STATE / "made", *CHROOT_CONF) if path.exists()}
        return files, NodeTest.mount_lines()


def main():
    verdict.main(argv=sys.argv[:1])
