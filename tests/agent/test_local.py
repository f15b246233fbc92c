#!/usr/bin/env python3
"""Without a network: --sync --offline, --check and --status, a policy that expired, a cache that is gone."""

import json
import os
import pathlib
import shutil
import subprocess
import time

import node
from node import ACCEPTED, CACHE, CHROOT_CONF, CONFIG, ENVELOPE, ETC, GROUP, PROGRAMS, ROOT, RUN, STATE, STATUS, NodeTest, must, run


class Local(NodeTest):
    def setUp(self):
        super().setUp()
        self.publish()
        self.sync()

    def test_offline_asks_nobody(self):
        asked = len(self.server.requests)
        self.sync("--offline")
        self.assertEqual(len(self.server.requests), asked)
        report = self.status()
        self.assertEqual((report["source"], report["error"]), ("cache", None))
        self.assertIsNotNone(report["last_contact"])

    def test_boot(self):
        """Nothing is mounted, run is empty, the endpoint is down."""
        self.server.close()
        must("umount", "-R", "-l", STATE / "roots")
        shutil.rmtree(RUN)
        self.check(rc=2)
        self.sync("--offline")
        self.assertEqual(self.seen(), ["bar", "foo", "spack"])
        self.assertIsNone(self.status()["last_contact"])
        self.check()

    def test_cache(self):
        good = CACHE.read_bytes()
        for damage in (CACHE.unlink, lambda: CACHE.write_bytes(good[:-40]), lambda: CACHE.write_bytes(b""),
                       lambda: os.chown(CACHE, 5001, 5001)):
            damage()
            self.assertIn("cache", self.check(rc=2).out)
            self.sync("--offline")
            self.assertEqual(CACHE.read_bytes(), good)
            self.check()

    def test_group_member_joined(self):
        (ETC / "group").write_text(GROUP.replace("partners:x:5100:bar", "partners:x:5100:bar,alice").replace(":27:alice", ":27:"))
        self.assertIn("cache: ", self.check(rc=2).out)
        self.sync()
        self.assertIn("alice", self.seen())
        self.check()

    def test_group_is_gone(self):
        """A group that NSS does not know any more keeps its members: fail closed."""
        (ETC / "group").write_text(GROUP.replace("partners:x:5100:bar\n", ""))
        self.assertIn("partners", self.sync("--detailed-exitcode").err)
        self.assertIn("bar", self.seen())
        self.assertIn("partners", "".join(self.status()["warnings"]))

    def test_group_answers_short(self):
        """A member who is not listed any more stays for a time, which the status tells; the policy can end it at once."""
        (ETC / "group").write_text(GROUP.replace("partners:x:5100:bar", "partners:x:5100:"))
        self.assertIn("(bar); they stay confined until", self.sync().err)
        self.assertIn("bar", self.seen())
        self.assertIn("(bar); they stay confined until", "".join(self.status()["warnings"]))
        kept = self.kept()
        self.sync()
        self.assertEqual(self.kept(), kept)
        self.check()
        self.publish(lambda p: p["rules"].insert(0, {"users": ["bar"], "jail": None}))
        self.sync()
        self.assertNotIn("bar", self.seen())

    def test_expired_stays_enforced_loudly(self):
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 2))
        self.publish(lambda p: p.update(expires=stamp))
        self.sync()
        time.sleep(2.2)
        for arguments in ((), ("--offline",)):
            self.assertIn(f"expired at {stamp} and stays enforced", self.sync(*arguments).err)
        report = self.status()
        self.assertTrue(report["expired"])
        self.assertIn("stays enforced", "".join(report["warnings"]))
        self.assertIn("EXPIRED", self.agent("--status").out)
        self.assertIn("expired", self.check().err)
        self.assertEqual(self.seen(), ["bar", "foo", "spack"])

    def test_check_changes_nothing(self):
        must("umount", ROOT / "home/foo")
        CHROOT_CONF[0].unlink()
        CACHE.write_bytes(b"")
        log = node.TOP / "work" / "trace"
        before = self.kept()
        traced = run(PROGRAMS["strace"], "-f", "-qq", "-o", log, "-e",
                     "trace=mount,umount2,move_mount,open_tree,rename,renameat,renameat2,mkdir,mkdirat,unlink,unlinkat,openat,openat2,"
                     "socket,symlinkat,ftruncate,fchmod", PROGRAMS["agent"], "--check", "--config", CONFIG,
                     env=node.TRACED)
        self.assertEqual(traced.rc, 2, traced.text)
        for line in log.read_text().splitlines():
            # libc looks for nscd when it asks for accounts.
            self.assertRegex(line, r"^\d+ +(openat|openat2|socket)\(|^\d+ +(\+\+\+|---)")
            self.assertNotIn("AF_INET", line)
            self.assertNotRegex(line.replace('"/dev/null", O_RDWR', ""), "O_WRONLY|O_RDWR|O_CREAT|O_TRUNC")
        self.assertEqual(self.kept(), before)
        for word in ("home/foo", str(CHROOT_CONF[0]), "cache: "):
            self.assertIn(word, traced.out)

    def test_check_json(self):
        self.assertEqual(json.loads(self.agent("--check", "--json").out),
                         {"in_sync": True, "differences": [], "warnings": [], "error": None})
        must("umount", ROOT / "home/foo")
        result = self.agent("--check", "--json")
        report = json.loads(result.out)
        self.assertEqual((result.rc, report["in_sync"], len(report["differences"])), (2, False, 1))
        self.assertIn("home/foo", report["differences"][0])

    def test_chroot_conf_drift(self):
        CHROOT_CONF[1].write_text(CHROOT_CONF[1].read_text().replace(f"foo {ROOT}\n", "mallory /\n"))
        out = self.check(rc=2).out
        self.assertIn(f'{CHROOT_CONF[1]}: line "foo {ROOT}" is missing', out)
        self.assertIn(f'{CHROOT_CONF[1]}: line "mallory /" does not belong in the managed block', out)
        self.assertTrue(self.status()["drift"])
        self.sync("--detailed-exitcode", rc=2)
        self.check()

    def test_status_before_and_without_a_report(self):
        STATUS.unlink()
        result = self.agent("--status", "--json")
        report = json.loads(result.out)
        self.assertEqual((result.rc, report["policy_version"], report["source"], report["drift"]), (0, 11, "cache", False))
        STATUS.write_text("{")
        self.assertEqual(self.status()["policy_version"], 11)
        for path in (STATE / "roots", ):
            must("umount", "-R", "-l", path)
        shutil.rmtree(STATE)
        shutil.rmtree(RUN)
        report = self.status()
        self.assertEqual((report["policy_version"], report["source"]), (None, "none"))
        self.assertIn("NO POLICY", self.agent("--status").out)

    def test_status_is_of_now(self):
        digest = self.status()["view_sha256"]
        must("umount", ROOT / "home/foo")
        self.assertNotEqual(self.status()["view_sha256"], digest)
        self.sync()
        self.assertEqual(self.status()["view_sha256"], digest)

    def test_killed_at_any_time(self):
        """A sync that is killed leaves the old state or the new one, and the next one finishes it."""
        (node.HOME / "intel").mkdir()
        mount = {"bind": "/home/intel", "from": "/mnt/home/intel"}
        versions = {11}
        for i in range(40):
            if i % 2:
                self.publish(lambda p: p["jails"]["partner"]["mounts"].pop())
            else:
                self.publish(lambda p: p["jails"]["partner"]["mounts"].append(mount))
            versions.add(self.policy["version"])
            with subprocess.Popen([PROGRAMS["agent"], "--sync", "--config", CONFIG], stderr=subprocess.DEVNULL) as agent:
                time.sleep(0.001 * i)
                agent.kill()
            envelope = node.json.loads(ENVELOPE.read_text())
            self.assertIn("payload", envelope)
            self.assertIn(json.loads(ACCEPTED.read_text())["version"], versions)
            self.sync("--offline")
            self.check()
            self.assertEqual((node.HOME / "foo/own").read_text(), "foo")
        self.sync()
        self.assertEqual(self.status()["policy_version"], self.policy["version"])
        self.check()
        self.assertEqual(left_over(), [], "what a killed agent had begun to write")

    def test_left_over_files(self):
        ours = [path.with_name(f".{path.name}.0123abcd") for path in (CACHE, ENVELOPE, ACCEPTED, STATUS, *CHROOT_CONF)]
        others = [STATE / ".policy.cache.0123abcde", STATE / ".other.0123abcd", STATE / ".policy.cache.tmp"]
        for path in ours + others:
            path.write_text("x")
        self.sync("--detailed-exitcode")
        self.assertEqual([path.exists() for path in ours], [False] * len(ours))
        self.assertEqual([path.exists() for path in others], [True] * len(others))

    def test_nobody_reads_the_messages(self):
        """A closed pipe for stderr does not end a sync half-way."""
        must("umount", ROOT / "home/foo")
        reader, writer = os.pipe()
        os.close(reader)
        with subprocess.Popen([PROGRAMS["agent"], "--sync", "--config", CONFIG], stderr=writer) as agent:
            self.assertEqual(agent.wait(timeout=30), 0)
        os.close(writer)
        self.check()


def left_over():
    return sorted(path.name for folder in (STATE, RUN, ETC) for path in folder.iterdir() if path.name.startswith("."))


if __name__ == "__main__":
    node.main()
