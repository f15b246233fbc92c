#!/usr/bin/env python3
"""chroot.conf: the managed block, the administrator's lines, and what would go wrong between them.

tests/fixtures/chrootconf/CASE/{before,users,after,said}: `said` is what is reported; no `after`: the file is refused.
"""

import os
import pathlib

import node
from node import CHROOT_CONF, ETC, PROGRAMS, ROOT, NodeTest, run, unittest

CASES = pathlib.Path(PROGRAMS["fixtures"]) / "chrootconf"


class Text(unittest.TestCase):
    maxDiff = None

    def convert(self, verb, text, users):
        path = pathlib.Path("/tmp") / f"chrootconf.{os.getpid()}"
        path.write_bytes(text)
        try:
            import subprocess

            return subprocess.run([PROGRAMS["chrootconf"], verb, path, users], capture_output=True, check=False)
        finally:
            path.unlink()

    def test_cases(self):
        cases = sorted(CASES.iterdir())
        self.assertGreaterEqual(len(cases), 15)
        for case in cases:
            with self.subTest(case.name):
                before, users = (case / "before").read_bytes(), case / "users"
                said = (case / "said").read_text() if (case / "said").exists() else ""
                done = self.convert("make", before, users)
                self.assertEqual(done.stderr.decode(errors="replace"), said)
                if not (case / "after").exists():
                    self.assertEqual((done.returncode, done.stdout), (1, b""))
                    self.assertEqual(self.convert("strip", before, users).returncode, 1)
                    continue
                after = (case / "after").read_bytes()
                self.assertEqual((done.returncode, done.stdout), (0, after))
                again = self.convert("make", after, users)
                self.assertEqual(again.stdout, after, "a second time changes nothing")
                self.assertNotIn(b"- CONF", again.stderr)
                self.assertEqual(self.convert("strip", after, users).stdout, self.convert("strip", before, users).stdout,
                                 "the administrator's lines, byte for byte")


class File(NodeTest):
    def setUp(self):
        super().setUp()
        self.publish()

    def test_mode_and_group_stay(self):
        CHROOT_CONF[0].write_text("# site\n")
        os.chmod(CHROOT_CONF[0], 0o640)
        os.chown(CHROOT_CONF[0], 0, 5100)
        self.sync()
        stat = CHROOT_CONF[0].stat()
        self.assertEqual((stat.st_mode & 0o7777, stat.st_uid, stat.st_gid), (0o640, 0, 5100))
        self.assertTrue(CHROOT_CONF[0].read_text().endswith("# END clusterjail\n# site\n"))
        self.sync("--detailed-exitcode")

    def refused(self, path, *words):
        before = path.read_bytes()
        result = self.sync(rc=1)
        for word in (str(path), *words):
            self.assertIn(word, result.err)
        self.assertEqual(path.read_bytes(), before)
        self.assertEqual(self.status()["error"]["code"], "chroot-conf")
        self.assertIn(f"foo {ROOT}\n", CHROOT_CONF[1].read_text(), "the other file is done")
        self.assertEqual(self.seen(), ["bar", "foo", "spack"])
        self.assertEqual(self.check(rc=1).rc, 1)

    def test_symlink(self):
        (ETC / "elsewhere").write_text("# site\n")
        CHROOT_CONF[0].symlink_to(ETC / "elsewhere")
        self.refused(CHROOT_CONF[0], "symbolic link")
        self.assertTrue(CHROOT_CONF[0].is_symlink())

    def test_owner_and_mode(self):
        CHROOT_CONF[0].write_text("# site\n")
        os.chown(CHROOT_CONF[0], 5001, 5001)
        self.refused(CHROOT_CONF[0], "not to root")
        os.chown(CHROOT_CONF[0], 0, 0)
        os.chmod(CHROOT_CONF[0], 0o666)
        self.refused(CHROOT_CONF[0], "written by others")

    def test_damaged_block(self):
        CHROOT_CONF[0].write_text("# site\n# BEGIN clusterjail\nfoo /x\nguest /srv/guest\n")
        self.refused(CHROOT_CONF[0], f"{CHROOT_CONF[0]}:2: ", "has no end")

    def test_directory_of_others(self):
        os.chmod(ETC, 0o777)
        result = self.sync(rc=1)
        self.assertIn(f"cannot keep {CHROOT_CONF[0]}", result.err)
        os.chmod(ETC, 0o755)
        self.sync()

    def test_conflicts_are_reported(self):
        CHROOT_CONF[1].write_text("# site\nguest /srv/guest\nfoo /srv/other\n@staff /srv/staff\nfo* /srv/all\n")
        said = self.sync().err
        lines = CHROOT_CONF[1].read_text().splitlines()
        self.assertEqual(lines[4:], ["# site", "guest /srv/guest", "foo /srv/other", "@staff /srv/staff", "fo* /srv/all"])
        warnings = self.status()["warnings"]
        for number, word in ((7, '"foo /srv/other"'), (8, "use_groups"), (9, "with use_regex")):
            self.assertIn(f"{CHROOT_CONF[1]}:{number}: ", said)
            self.assertTrue(any(w.startswith(f"{CHROOT_CONF[1]}:{number}: ") and word in w for w in warnings), warnings)
        self.assertIn(f"{CHROOT_CONF[1]}:7: ", self.agent("--status").out)
        # Found, said, and no reason to fail or to write again.
        self.assertIn(f"{CHROOT_CONF[1]}:7: ", self.sync("--detailed-exitcode").err)
        self.check()

    def test_last_user_leaves(self):
        self.sync()
        self.publish(lambda p: p["rules"].clear() or p["rules"].append({"users": ["foo"], "nodes": ["d1"], "jail": "partner"}))
        self.sync()
        self.assertEqual(len(CHROOT_CONF[0].read_text().splitlines()), 2, "begin and end: there is no user any more")
        self.sync("--detailed-exitcode")
        self.check()


if __name__ == "__main__":
    node.main()
