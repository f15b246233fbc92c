"""A copy-on-write root of this machine, to install packages in: nothing that happens there reaches the machine.

The process gets a mount namespace of its own, so its mounts end with it.

usage of a test: test_NAME.py DIRECTORY-WITH-DEBS [unittest arguments]
"""

import ctypes
import glob
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
import verdict  # tests/verdict.py, for every folder of tests

DEBS = os.path.abspath(sys.argv.pop(1)) if len(sys.argv) > 1 else ""
NAMES = ("agent", "pam", "policy", "endpoint")


def deb(name):
    found = glob.glob(f"{DEBS}/clusterjail-{name}_*.deb")
    if len(found) != 1:
        raise AssertionError(f"{DEBS} holds {len(found)} packages clusterjail-{name}, wanted one")
    return found[0]


def mount(*words):
    subprocess.run(["mount", *map(str, words)], check=True)


def leave_the_machine():
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(0x00020000) != 0:  # CLONE_NEWNS; os.unshare comes with Python 3.12
        raise OSError(ctypes.get_errno(), "unshare: these tests need root")
    mount("--make-rprivate", "/")


class Sandbox(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        leave_the_machine()

    def setUp(self):
        self.base = pathlib.Path(tempfile.mkdtemp(prefix="jail-packaging-"))
        self.addCleanup(os.rmdir, self.base)
        mount("-t", "tmpfs", "-o", "mode=0755", "tmpfs", self.base)
        self.addCleanup(subprocess.run, ["umount", "-R", "-l", self.base], check=True)
        for name in ("upper", "work", "root"):
            (self.base / name).mkdir()
        self.root = self.base / "root"
        mount("-t", "overlay", "-o", f"lowerdir=/,upperdir={self.base}/upper,workdir={self.base}/work", "overlay", self.root)
        for name in ("proc", "dev", "sys"):
            mount("--rbind", f"/{name}", self.root / name)
        for name, mode in (("tmp", "1777"), ("run", "0755")):  # without /run/systemd/system nothing is started or stopped
            mount("-t", "tmpfs", "-o", f"mode={mode}", "tmpfs", self.root / name)
        self.forget_packages()

    def forget_packages(self):
        """A machine that has clusterjail installed is as good for this as one that has not."""
        self.chroot("dpkg", "--force-all", "--purge", *(f"clusterjail-{name}" for name in NAMES), check=False)

    def chroot(self, *words, check=True):
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
        done = subprocess.run(["chroot", self.root, *map(str, words)], capture_output=True, text=True, env=environment,
                              timeout=300, check=False)
        if check:
            self.assertEqual(done.returncode, 0, f"{words}: {done.stdout}{done.stderr}")
        return done

    def refused(self, expected, *words):
        done = self.chroot(*words, check=False)
        self.assertNotEqual(done.returncode, 0, f"{words}: {done.stdout}{done.stderr}")
        self.assertIn(expected, done.stdout + done.stderr)

    def path(self, name):
        return self.root / name.lstrip("/")

    def write(self, name, text, mode=0o644):
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)

    def read(self, name):
        return self.path(name).read_text()

    def install(self, *names):
        for name in names:
            target = self.path(f"/tmp/{os.path.basename(deb(name))}")
            target.write_bytes(pathlib.Path(deb(name)).read_bytes())
        return self.chroot("dpkg", "-i", *(f"/tmp/{os.path.basename(deb(name))}" for name in names))

    def status(self, name):
        return self.chroot("dpkg-query", "-W", "-f", "${db:Status-Status}", f"clusterjail-{name}", check=False).stdout
