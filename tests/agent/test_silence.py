"""A server that is dead holds up nobody but those who need it: FUSE that stops answering stands in for it."""

import json
import os
import select
import struct
import threading
import time

import node
from node import CHROOT_CONF, HOME, ROOT, STATE, TOP, NodeTest, must

DEAD = TOP / "dead"
OTHER = STATE / "roots" / "other"
SECONDS = 12  # the agent's own limit is 8, on a machine that has nothing else to do

GETATTR, INIT, FORGET, INTERRUPT, FORGET_MANY, LOOKUP, ENOENT, ENOSYS = 3, 26, 2, 36, 42, 1, 2, 38
DIRECTORY = struct.pack("<QIIQQQQQQ10I", 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0o040755, 2, 0, 0, 0, 4096, 0)


class Fuse:
    """A file system that is one directory of root's, served over /dev/fuse until it is told to stop answering."""

    def __init__(self, path):
        self.fd = os.open("/dev/fuse", os.O_RDWR)
        path.mkdir(exist_ok=True)
        must("mount", "-i", "-t", "fuse", "-o", f"fd={self.fd},rootmode=40000,user_id=0,group_id=0", "dead", path,
             pass_fds=[self.fd])
        self.answers = True
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def reply(self, opcode):
        """An error, or bytes; None for what gets no answer."""
        if opcode == INIT:
            return 0, struct.pack("<IIIIHHIII32x", 7, 23, 65536, 0, 12, 9, 65536, 1, 0)
        if opcode == GETATTR:
            return 0, DIRECTORY
        return (ENOENT if opcode == LOOKUP else ENOSYS), b""

    def serve(self):
        while self.answers:
            if not select.select([self.fd], [], [], 0.05)[0]:
                continue
            try:
                request = os.read(self.fd, 1 << 17)
            except OSError:  # unmounted
                return
            _, opcode, unique = struct.unpack_from("<IIQ", request)
            if opcode not in (FORGET, FORGET_MANY, INTERRUPT):
                error, data = self.reply(opcode)
                os.write(self.fd, struct.pack("<IiQ", 16 + len(data), -error, unique) + data)

    def fall_silent(self):
        self.answers = False
        self.thread.join()

    def close(self):
        """Whoever hangs in it gets an error from now on."""
        self.fall_silent()
        if self.fd >= 0:
            os.close(self.fd)
        self.fd = -1


def add_dead(policy):
    policy["jails"]["partner"]["mounts"].append({"bind": "/srv/dead", "from": str(DEAD)})


def add_jail(policy):
    """Somebody new is confined, in a jail that needs nothing of the dead server."""
    policy["jails"]["other"] = {"confine": "chroot", "root": str(OTHER), "mounts": [{"bind": "/usr"}, {"bind": "/opt"}]}
    policy["rules"].append({"users": ["carol"], "jail": "other"})


class Silence(NodeTest):
    def setUp(self):
        super().setUp()
        (TOP / "etc" / "passwd").write_text(node.PASSWD + "carol:x:5004:5004::/mnt/home/carol:/bin/sh\n")
        self.fuse = Fuse(DEAD)
        self.addCleanup(self.fuse.close)

    def quick(self, *arguments, seconds=SECONDS):
        before = time.monotonic()
        result = self.agent(*arguments)
        self.assertLess(time.monotonic() - before, seconds, result.text)
        return result

    def assert_other_is_in_force(self):
        self.assertTrue(self.is_mounted(OTHER / "usr"))
        self.assertTrue(self.is_mounted(OTHER / ".clusterjail"))
        self.assertIn(f"carol {OTHER}", CHROOT_CONF[0].read_text())
        self.assertIn("other", self.quick("--explain", "carol").out)

    def is_mounted(self, path):
        return str(path) in self.mounts()

    def dead_mounts(self):
        return [line for line in self.mount_lines() if line.split()[4] == str(ROOT / "srv/dead")]

    def test_answers(self):
        self.publish(add_dead)
        self.sync()
        self.assertEqual(len(self.dead_mounts()), 1)
        self.check()

    def test_falls_silent(self):
        self.publish(add_dead)
        self.sync()
        mounts = self.mount_lines()
        self.fuse.fall_silent()
        self.publish(add_jail)
        result = self.quick("--sync")
        self.assertEqual(result.rc, 1, result.text)
        self.assertIn(f"{DEAD} does not answer", result.err)
        self.assert_other_is_in_force()
        self.assertEqual(len(self.dead_mounts()), 1, "what is mounted stays")
        marker = f" {ROOT}/.clusterjail "
        self.assertEqual([line for line in mounts if marker not in line and line not in self.mount_lines()], [])

    def test_silent_from_the_beginning(self):
        self.fuse.fall_silent()
        self.publish(lambda policy: (add_dead(policy), add_jail(policy)))
        result = self.quick("--sync")
        self.assertEqual(result.rc, 1, result.text)
        self.assertIn(f"{DEAD} does not answer", result.err)
        self.assert_other_is_in_force()
        self.assertTrue(self.is_mounted(ROOT / "usr"))
        self.assertFalse(self.is_mounted(ROOT / ".clusterjail"), "nobody enters what is not whole")
        self.assertIn(f"foo {ROOT}", CHROOT_CONF[0].read_text())

    def test_looking_is_quick_too(self):
        self.publish(add_dead)
        self.sync()
        self.fuse.fall_silent()
        self.assertIn("does not answer", self.quick("--check").out)
        self.assertTrue(json.loads(self.quick("--status", "--json").out)["drift"])

    def test_behind_a_link_of_roots(self):
        (TOP / "link").symlink_to(DEAD)
        self.publish(lambda policy: (add_jail(policy), policy["jails"]["partner"]["mounts"].extend(
            {"bind": f"/srv/{name}", "from": str(TOP / "link" / name)} for name in "abcdefgh")))
        self.fuse.fall_silent()
        result = self.quick("--sync")
        self.assertEqual(result.rc, 1, result.text)
        self.assert_other_is_in_force()

    def test_answers_again(self):
        self.publish(add_dead)
        self.fuse.fall_silent()
        self.assertEqual(self.quick("--sync").rc, 1)
        self.fuse.close()
        must("umount", "-l", DEAD)
        self.sync()
        self.assertTrue(self.is_mounted(ROOT / ".clusterjail"))

    def test_accounts_and_homes_away_together(self):
        """Whom NSS does not find is a member as long as the home is there, and a dead server says nothing of that."""
        must("umount", "-l", DEAD)
        self.publish()
        self.sync()
        must("mount", "--bind", HOME, HOME)
        self.addCleanup(must, "umount", "-l", HOME)
        silent = Fuse(HOME)
        self.addCleanup(silent.close)
        silent.fall_silent()
        (TOP / "etc" / "passwd").write_text("root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n")
        result = self.quick("--sync", seconds=2 * SECONDS)
        self.assertEqual(result.rc, 1, result.text)
        self.assertIn("foo", CHROOT_CONF[0].read_text())
        self.assertTrue(self.is_mounted(ROOT / "home/foo"))


if __name__ == "__main__":
    node.main()
