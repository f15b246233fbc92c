#!/usr/bin/env python3
"""Taking everything back: mounts, roots, blocks; never a file of anybody's."""

import json
import pathlib
import shutil
import signal
import subprocess
import time

import node
from node import CACHE, CHROOT_CONF, CONFIG, ENVELOPE, HOME, PROGRAMS, ROOT, RUN, STATE, STATUS, NodeTest


class Teardown(NodeTest):
    def setUp(self):
        super().setUp()
        CHROOT_CONF[0].write_text("# site\nguest /srv/guest\n")
        self.publish()
        self.sync()

    def teardown(self, rc=0):
        result = self.agent("--teardown")
        self.assertEqual(result.rc, rc, result.text)
        return result

    def homes(self):
        return {path: path.read_text() for path in sorted(HOME.rglob("*")) if path.is_file()}

    def test_all_of_it(self):
        before, cache, envelope = self.homes(), CACHE.read_bytes(), ENVELOPE.read_bytes()
        self.teardown()
        self.assertEqual(self.mounts(), [])
        self.assertFalse(ROOT.exists())
        self.assertEqual(self.homes(), before)
        self.assertEqual(CHROOT_CONF[0].read_text(), "# site\nguest /srv/guest\n")
        self.assertFalse(CHROOT_CONF[1].exists(), "it held nothing but the block")
        # While pam_jail is still in the PAM stack these decide that foo is refused and alice is not.
        self.assertEqual((CACHE.read_bytes(), ENVELOPE.read_bytes()), (cache, envelope))
        self.assertEqual((STATUS.exists(), (STATE / "made").exists()), (False, False))
        self.assertEqual([path.name for path in RUN.iterdir()], ["lock"])
        self.teardown()
        self.sync("--offline")
        self.assertEqual(self.seen(), ["bar", "foo", "spack"])
        self.check()

    def test_what_users_kept_is_named(self):
        kept = STATE / "private/5001/tmp/results"
        kept.parent.mkdir(parents=True)
        kept.write_text("ten years")
        for directory in (kept.parent.parent, kept.parent.parent.parent):
            directory.chmod(0o700)
        report = json.loads(self.agent("--teardown", "--json").out)
        self.assertEqual((report["torn_down"], report["error"]), (True, None))
        self.assertIn(f"stays in {STATE}/private", " ".join(report["warnings"]))
        self.assertEqual(kept.read_text(), "ten years")

    def test_json(self):
        n = len(self.mounts())
        result = self.agent("--teardown", "--json")
        self.assertEqual(result.rc, 0, result.text)
        report = json.loads(result.out)
        self.assertGreaterEqual(n, report["unmounted"])
        self.assertGreater(report.pop("unmounted"), 0)
        self.assertEqual(report, {"torn_down": True, "warnings": [], "error": None})
        CHROOT_CONF[0].write_text("# BEGIN clusterjail\nfoo /x\n")
        result = self.agent("--teardown", "--json")
        report = json.loads(result.out)
        self.assertEqual((result.rc, report["torn_down"], report["unmounted"]), (1, False, 0))
        self.assertIn(f"{CHROOT_CONF[0]}:1: ", report["error"])

    def test_busy(self):
        with subprocess.Popen(["sleep", "60"], cwd=ROOT / "home/foo") as holder:
            self.teardown()
            self.assertEqual(self.mounts(), [])
            holder.kill()
        self.assertEqual((HOME / "foo/own").read_text(), "foo")

    def manager(self, uid, root):
        """A program by the name of systemd that runs as uid with root as its root."""
        program = HOME / "foo" / "systemd"
        if not program.exists():
            shutil.copy(shutil.which("sleep"), program)
        command = ["chroot", f"--userspec={uid}:{uid}", root, "/home/foo/systemd" if root == ROOT else program, "60"]
        started = subprocess.Popen(command)
        while pathlib.Path(f"/proc/{started.pid}/comm").read_text() != "systemd\n":
            self.assertIsNone(started.poll())
            time.sleep(0.01)
        return started

    def test_manager_in_the_chroot_is_ended(self):
        """It could not even stop by itself, and a login of that user would wait for it."""
        managers = [self.manager(5001, ROOT), self.manager(5003, "/")]
        other = subprocess.Popen(["chroot", "--userspec=5001:5001", ROOT, "/bin/sleep", "60"])
        try:
            self.sync("--offline")
            self.assertIsNone(managers[0].poll(), "its chroot stands")
            self.teardown()
            self.assertEqual(managers[0].wait(timeout=10), -(signal.SIGRTMIN + 24))
            self.assertIsNone(managers[1].poll(), "not in a chroot")
            self.assertIsNone(other.poll(), "no manager")
        finally:
            for process in (*managers, other):
                process.kill()
                process.wait()
        self.sync("--offline")
        managers = [self.manager(5001, ROOT)]
        try:
            self.publish(lambda policy: policy.update(rules=[]))
            self.sync()
            self.assertEqual(managers[0].wait(timeout=10), -(signal.SIGRTMIN + 24), "a sync that takes the jail away does the same")
        finally:
            managers[0].kill()
            managers[0].wait()

    def killed_at(self, step):
        """A teardown that is killed as it enters the so-manieth call that changes something. Whether it came that far."""
        calls = "umount2,unlink,unlinkat,rmdir,rename,renameat,renameat2"
        killed = subprocess.run([PROGRAMS["strace"], "-f", "-qq", "-o", "/dev/null", "-e", f"trace={calls}",
                                 "-e", f"inject={calls}:signal=KILL:when={step}", PROGRAMS["agent"], "--teardown", "--config", CONFIG],
                                stderr=subprocess.DEVNULL, env=node.TRACED, timeout=60, check=False).returncode
        self.assertIn(killed, (0, -signal.SIGKILL, 128 + signal.SIGKILL))
        return killed != 0

    def test_killed_half_way(self):
        """At every step, with a busy mount: no file is lost, and the next teardown, or the next sync, brings it to its end."""
        before = self.homes()
        all_of_it = len(self.mounts())
        step, cut = 1, 0
        while True:
            with subprocess.Popen(["sleep", "60"], cwd=ROOT / "home/foo") as holder:
                killed = self.killed_at(step)
                cut += 0 < len(self.mounts()) < all_of_it
                self.assertEqual(self.homes(), before, f"killed at step {step}")
                if step % 2 or not killed:
                    self.teardown()
                    self.assertEqual((self.mounts(), self.homes()), ([], before), f"killed at step {step}")
                holder.kill()
            if not killed:
                break
            self.sync("--offline")
            self.check()
            self.assertEqual(len(self.mounts()), all_of_it)
            step += 1
        self.assertGreater(cut, 5, "kills that left some mounts, but not all: else nothing was tried")

    def test_nothing_there(self):
        self.teardown()
        for path in (STATE, RUN):
            subprocess.run(["rm", "-r", path], check=True)
        self.teardown()
        self.assertFalse(STATE.exists())

    def test_damaged_block_is_said(self):
        CHROOT_CONF[0].write_text("# BEGIN clusterjail\nfoo /x\n")
        self.assertIn(f"{CHROOT_CONF[0]}:1: ", self.teardown(rc=1).err)
        self.assertEqual(self.mounts(), [])
        self.assertEqual(CHROOT_CONF[0].read_text(), "# BEGIN clusterjail\nfoo /x\n")


if __name__ == "__main__":
    node.main()
