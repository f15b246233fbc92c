"""The Dockerfile, built for real with buildah on a base image made from the testbed's tree, and what runs in the result.

usage: test_docker.py JAIL-POLICYD JAIL-POLICY [unittest arguments]
"""

import ctypes
import glob
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

from service import Published
import verdict

SOURCE = pathlib.Path(__file__).resolve().parents[2]
TESTBED = SOURCE / "tests" / "cluster" / "testbed"


def run(*words, **options):
    done = subprocess.run([str(word) for word in words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                          **options)
    if done.returncode != 0:
        raise AssertionError(f"{words}: exit {done.returncode}\n{done.stdout[-6000:]}")
    return done.stdout


class Image(Published):
    @classmethod
    def setUpClass(cls):
        cls.storage = pathlib.Path(tempfile.mkdtemp(prefix="jail-image-"))
        cls.addClassCleanup(cls.remove_storage)
        for name in ("root", "run"):
            (cls.storage / name).mkdir()
        cls.make_base()
        cls.buildah("build", "--isolation=chroot", "--layers=false", "--build-arg", "BASE_IMAGE=localhost/base", "-t", "endpoint", SOURCE)
        cls.config = json.loads(cls.buildah("inspect", "--type", "image", "localhost/endpoint"))["OCIv1"]["config"]

    @classmethod
    def buildah_words(cls, *words):
        return ["buildah", "--root", cls.storage / "root", "--runroot", cls.storage / "run", "--storage-driver", "overlay", *words]

    @classmethod
    def buildah(cls, *words):
        return run(*cls.buildah_words(*words)).strip()

    @classmethod
    def remove_storage(cls):
        cls.buildah("rm", "--all")
        cls.buildah("rmi", "--all", "--force")
        # overlay's own mount of its folder is the last; were another one left, rmtree would say so and not follow it.
        subprocess.run(["umount", cls.storage / "root" / "overlay"], stderr=subprocess.DEVNULL, check=False)
        mounted = [line for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines() if str(cls.storage) in line]
        if mounted:
            raise AssertionError(f"still mounted, so not removed: {mounted}")
        shutil.rmtree(cls.storage)

    @classmethod
    def make_base(cls):
        tree = subprocess.run([TESTBED, "base"], stdout=subprocess.PIPE, text=True, check=True).stdout.split()[-1]
        container = cls.buildah("from", "scratch").split()[-1]
        root = cls.buildah("mount", container).split()[-1]
        run("cp", "-a", "--one-file-system", f"{tree}/.", root)
        # The testbed's nodes ask no name server; a build does. Packages come from where this machine's come from.
        names = pathlib.Path(root, "etc/nsswitch.conf")
        names.write_text(re.sub(r"(?m)^hosts:.*", "hosts: files dns", names.read_text()))
        shutil.rmtree(f"{root}/etc/apt")
        run("cp", "-aL", "/etc/apt", f"{root}/etc/apt")
        for pattern in ("/usr/share/keyrings", "/etc/ssl/certs", "/usr/local/share/ca-certificates"):
            for path in glob.glob(pattern):
                os.makedirs(os.path.dirname(root + path), exist_ok=True)
                run("cp", "-aLT", path, root + path)
        cls.buildah("umount", container)
        cls.buildah("commit", container, "localhost/base")
        cls.buildah("rm", container)

    def test_it_says_how_it_runs(self):
        self.assertEqual(self.config["User"], "65532:65532")
        self.assertEqual(self.config["ExposedPorts"], {"8480/tcp": {}})
        self.assertEqual(self.config["Entrypoint"], ["/usr/sbin/jail-policyd", "--dir", "/srv/policy", "--listen", "0.0.0.0:8480"])

    def test_no_compiler_and_no_source_in_it(self):
        container = self.buildah("from", "localhost/endpoint").split()[-1]
        root = pathlib.Path(self.buildah("mount", container).split()[-1])
        for path in ("usr/bin/gcc", "usr/bin/cmake", "src", "build", "tmp/endpoint.deb"):
            self.assertFalse((root / path).exists(), path)
        self.assertTrue((root / "usr/sbin/jail-policyd").exists())
        self.buildah("umount", container)

    def processes(self):
        """The endpoints in this network namespace, which is the test's own."""
        mine = os.readlink("/proc/self/ns/net")
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
                if words[0] == b"/usr/sbin/jail-policyd" and os.readlink(f"/proc/{pid}/ns/net") == mine:
                    yield int(pid)
            except OSError:
                continue

    def start(self):
        """As a container engine would, on a loopback of its own: the port is the image's, not this machine's."""
        self.assertEqual(ctypes.CDLL(None).unshare(0x40000000), 0)  # CLONE_NEWNET
        run("ip", "link", "set", "lo", "up")
        container = self.buildah("from", "localhost/endpoint").split()[-1]
        process = subprocess.Popen(
            self.buildah_words("run", "--isolation=chroot", "-v", f"{self.public}:/srv/policy:ro", container, "--",
                               *self.config["Entrypoint"]), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

        def stop():
            for pid in self.processes():
                os.kill(pid, signal.SIGTERM)
            log = process.communicate(timeout=20)[1]
            self.assertEqual(process.returncode, 0, log)
        self.addCleanup(stop)
        end = time.monotonic() + 60
        while not list(self.processes()):
            if time.monotonic() > end or process.poll() is not None:
                process.kill()
                self.fail(f"the image does not run: {process.communicate()[1]}")
            time.sleep(0.1)

    def get(self, path, headers=None):
        end = time.monotonic() + 20
        while True:
            try:
                with urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:8480{path}", headers=headers or {}), timeout=5) as answer:
                    return answer.status, answer.read(), answer.headers
            except urllib.error.HTTPError as answer:
                return answer.code, answer.read(), answer.headers
            except urllib.error.URLError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.1)

    def test_a_policy_from_the_running_result(self):
        body = self.publish()
        self.start()
        status, received, headers = self.get("/v1/policy.json")
        self.assertEqual((status, received), (200, body))
        self.assertEqual(self.get("/v1/policy.json", {"If-None-Match": headers["ETag"]})[0], 304)
        body = self.publish()
        self.assertEqual(self.get("/v1/policy.json")[1], body)
        self.assertEqual(self.get("/healthz")[:2], (200, b"ok\n"))
        pid, = self.processes()
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        self.assertIn("Uid:\t65532\t65532\t65532\t65532\n", status)
        self.assertIn("Gid:\t65532\t65532\t65532\t65532\n", status)
        self.assertIn("CapEff:\t0000000000000000\n", status)
        self.assertIn("NoNewPrivs:\t1\n", status)


if __name__ == "__main__":
    verdict.main()
