#!/usr/bin/env python3
"""The way from a published policy to what is mounted, and that a second sync does nothing."""

import json
import os
import pathlib
import re
import shutil

import node
from node import ACCEPTED, CACHE, CHROOT_CONF, CONFIG, ENVELOPE, ETC, HOME, PROGRAMS, ROOT, RUN, STATE, STATUS, NodeTest, must, run

CALLS = ("mount,umount2,move_mount,open_tree,mount_setattr,fsopen,fsmount,rename,renameat,renameat2,mkdir,mkdirat,rmdir,unlink,"
         "unlinkat,symlink,symlinkat,link,linkat,chmod,fchmod,fchmodat,chown,fchown,fchownat,openat,openat2,creat,open,ftruncate,"
         "truncate,mknod,mknodat,utimensat,write,pwrite64,writev")


class Sync(NodeTest):
    def test_first_sync(self):
        envelope = self.publish()
        result = self.sync("--detailed-exitcode", rc=2)
        self.assertIn("version 11 is enforced: 2 users, 1 root; changed", result.err)
        self.assertEqual(self.seen(), ["bar", "foo", "spack"])
        self.assertEqual((ROOT / "home/foo/own").read_text(), "foo")
        self.assertEqual(os.readlink(ROOT / "bin"), os.readlink("/bin"))
        self.assertEqual(ENVELOPE.read_bytes(), envelope)
        accepted = json.loads(ACCEPTED.read_text())
        self.assertEqual((accepted["version"], accepted["url"]), (11, self.server.url))
        self.assertRegex(accepted["etag"], '^"[0-9a-f]{64}"$')
        for path in CHROOT_CONF:
            self.assertEqual(path.read_text().splitlines()[1:3], [f"bar {ROOT}", f"foo {ROOT}"])
            self.assertEqual(path.stat().st_mode & 0o7777, 0o644)
        for path in (CACHE, STATUS, ENVELOPE, ACCEPTED):
            self.assertEqual((path.stat().st_uid, path.stat().st_mode & 0o022), (0, 0))
        self.assertEqual(self.check().out, "")

    def test_status_is_what_the_schema_says(self):
        import jsonschema  # a package of the tests

        schema = json.loads((pathlib.Path(PROGRAMS["schema"]) / "status.schema.json").read_text())
        self.publish()
        self.sync()
        for report in (self.status(), json.loads(STATUS.read_text())):
            jsonschema.validate(report, schema)
            self.assertEqual(report["node"], "c1")
            self.assertEqual(report["source"], "network")
            self.assertEqual(report["policy_version"], 11)
            self.assertEqual(report["jails"], [{"name": "partner", "root": str(ROOT), "users": 2}])
            self.assertEqual((report["drift"], report["failed"], report["error"], report["warnings"]), (False, False, None, []))
            self.assertEqual(report["last_contact"][:4], report["last_success"][:4])
        self.assertEqual(self.status(), json.loads(STATUS.read_text()))
        table = self.agent("--status").out
        self.assertRegex(table, r"(?m)^state +in sync$")
        self.assertRegex(table, r"(?m)^policy +version 11, sha256 [0-9a-f]{64}$")

    def test_every_file_is_replaced_whole_and_synced(self):
        """fsync of the new file, rename over the old, fsync of the directory: in this order for each, so that a power cut leaves one
        or the other."""
        self.publish()
        self.sync()
        self.publish(lambda p: p["rules"].append({"users": ["alice"], "jail": "partner"}))
        (ETC / "group").write_text(node.GROUP.replace("sudo:x:27:alice", "sudo:x:27:"))
        os.utime(RUN / "whole", (0, 0))
        log = node.TOP / "work" / "trace"
        calls = "open,openat,creat,fsync,fdatasync,sync_file_range,rename,renameat,renameat2,link,linkat,write,pwrite64,ftruncate"
        traced = run(PROGRAMS["strace"], "-f", "-y", "-qq", "-e", f"trace={calls}", "-o", log, PROGRAMS["agent"], "--sync",
                     "--config", CONFIG, env=node.TRACED)
        self.assertEqual(traced.rc, 0, traced.text)
        lines = [re.sub(r"^\d+ +", "", line) for line in log.read_text().splitlines()]
        replaced = {}
        for at, line in enumerate(lines):
            found = re.match(r'rename(?:at2?)?\((?:(?:AT_FDCWD|\d+)<([^>]*)>, )?"([^"]+)", (?:(?:AT_FDCWD|\d+)<[^>]*>, )?"([^"]+)".* = 0$', line)
            if found:
                folder, temporary, name = found.groups()
                replaced[os.path.join(folder or "/", name)] = (at, os.path.join(folder or "/", temporary))
        expected = {str(path) for path in (ENVELOPE, ACCEPTED, CACHE, STATE / "made", STATUS, RUN / "whole", *CHROOT_CONF)}
        self.assertEqual(set(replaced), expected, "\n".join(lines))
        for name, (at, temporary) in replaced.items():
            with self.subTest(name):
                before = [i for i, line in enumerate(lines[:at]) if re.match(rf"fsync\(\d+<{re.escape(temporary)}>\) += 0", line)]
                self.assertTrue(before, "the new file is not synced before it gets its name")
                written = [i for i, line in enumerate(lines[:at]) if re.match(rf"(write|pwrite64)\(\d+<{re.escape(temporary)}>", line)]
                self.assertTrue(not written or max(written) < max(before), "written to after it was synced")
                folder = os.path.dirname(name)
                after = [line for line in lines[at:] if re.match(rf"fsync\(\d+<{re.escape(folder)}>\) += 0", line)]
                self.assertTrue(after, "the directory is not synced after the rename")
        # And no file of the agent's is written in place.
        for line in lines:
            found = re.match(r"(?:write|pwrite64|ftruncate)\(\d+<([^>]*)>", line)
            if found and found[1] != str(RUN / "lock"):
                self.assertNotIn(found[1], expected, line)

    def test_second_sync_does_nothing(self):
        self.publish()
        self.sync()
        before = self.kept()
        log = node.TOP / "work" / "trace"
        traced = run(PROGRAMS["strace"], "-f", "-y", "-qq", "-e", f"trace={CALLS}", "-o", log, PROGRAMS["agent"], "--sync",
                     "--detailed-exitcode", "--config", CONFIG, env=node.TRACED)
        self.assertEqual(traced.rc, 0, traced.text)
        self.assertIn("nothing to do", traced.err)
        self.assertIn("If-None-Match", self.server.requests[-1])
        written = set()
        for line in log.read_text().splitlines():
            call = re.match(r"\d+ +(\w+)\(", line)
            if not call:
                continue
            if call[1] in ("open", "openat", "openat2") and not re.search(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC", line):
                continue
            # The status file, by way of a new one beside it; messages, pipes to the children, the connection.
            if "status.json" in line or re.match(r"\w+\(\d+<(pipe|socket|TCP|UDP|NETLINK|/dev/null)", line.split(maxsplit=1)[1]):
                continue
            # Opened, to be locked; nothing is written to it.
            if call[1] == "openat" and f'"{RUN}/lock"' in line or '"/dev/null"' in line:
                continue
            written.add(line)
        self.assertEqual(written, set())
        self.assertEqual(self.kept(), before)

    def test_added_and_removed(self):
        self.publish()
        self.sync()
        (HOME / "intel").mkdir()
        mount = {"bind": "/home/intel", "from": "/mnt/home/intel"}
        self.publish(lambda p: p["jails"]["partner"]["mounts"].append(mount))
        before = self.mount_lines()
        self.sync("--detailed-exitcode", rc=2)
        self.assertEqual(self.seen(), ["bar", "foo", "intel", "spack"])
        self.assertEqual([line for line in before if line in self.mount_lines()], before, "the others are as they were")
        self.publish(lambda p: p["jails"]["partner"]["mounts"].pop())
        self.sync("--detailed-exitcode", rc=2)
        self.assertEqual(self.seen(), ["bar", "foo", "spack"])
        self.assertTrue((HOME / "intel").is_dir())

    def test_user_joins_and_leaves(self):
        self.publish()
        self.sync()
        self.publish(lambda p: p["rules"].append({"users": ["alice"], "jail": "partner"}))
        (ETC / "group").write_text(node.GROUP.replace("sudo:x:27:alice", "sudo:x:27:"))
        self.sync()
        self.assertIn(f"alice {ROOT}\n", CHROOT_CONF[0].read_text())
        self.assertIn("alice", self.seen())
        self.publish(lambda p: p["rules"].pop())
        self.sync()
        self.assertNotIn("alice", CHROOT_CONF[0].read_text() + str(self.seen()))
        self.assertEqual((HOME / "alice/own").read_text(), "alice")

    def test_break_glass_member_is_not_in_chroot_conf(self):
        self.publish(lambda p: p["rules"].append({"users": ["alice"], "jail": "partner"}))
        self.assertIn("alice is in jail partner by the policy, but also in the break-glass group sudo", self.sync().err)
        self.assertNotIn("alice", CHROOT_CONF[0].read_text())

    def test_break_glass_by_primary_group_is_not_in_chroot_conf(self):
        (ETC / "passwd").write_text(node.PASSWD.replace("alice:x:5003:5003", "alice:x:5003:27"))
        (ETC / "group").write_text(node.GROUP.replace("sudo:x:27:alice", "sudo:x:27:"))
        self.publish(lambda p: p["rules"].append({"users": ["alice"], "jail": "partner"}))
        self.assertIn("alice is in jail partner by the policy, but also in the break-glass group sudo", self.sync().err)
        self.assertNotIn("alice", CHROOT_CONF[0].read_text())
        self.assertIn("foo", CHROOT_CONF[0].read_text())
        self.check()

    def test_member_with_an_impossible_home_is_named(self):
        (ETC / "passwd").write_text(node.PASSWD.replace("/mnt/home/foo", "/"))
        self.publish(lambda p: p["jails"]["partner"]["mounts"].append({"bind": "%h"}))
        left_out = "user foo is left out, and refused: "
        self.assertIn(left_out, self.sync().err)
        self.assertIn(left_out, self.check().err)
        self.assertIn(left_out, "".join(self.status()["warnings"]))
        self.assertEqual(self.status()["users"], 1)

    def test_root_elsewhere_must_not_be_entered_by_others(self):
        root = node.TOP / "jails" / "partner"
        self.publish(lambda p: p["jails"]["partner"].update(root=str(root)))
        self.sync()
        self.assertEqual(self.status()["warnings"], [], "the agent makes what is above a root 0700")
        root.parent.chmod(0o755)
        wanted = f"chmod 0700 {root.parent}"
        self.assertIn(wanted, "".join(self.status()["warnings"]))
        self.assertEqual(self.agent("--status").err, "")
        self.assertIn(wanted, self.check().err)
        self.assertIn(wanted, self.sync().err)
        self.assertEqual(self.status()["warnings"], [line for line in self.status()["warnings"] if wanted in line])
        root.parent.chmod(0o710)
        self.assertEqual(self.check().err, "", "root's own group")
        os.chown(root.parent, 0, 5100)
        self.assertIn(wanted, self.check().err)
        root.parent.chmod(0o700)
        self.sync()
        self.assertEqual(self.status()["warnings"], [])

    def test_drift_is_found_and_only_that_is_put_back(self):
        self.publish()
        self.sync()
        before = self.mount_lines()
        must("umount", ROOT / "home/spack")
        self.assertIn("/home/spack", self.check(rc=2).out)
        self.assertNotIn("/home/foo", self.check(rc=2).out)
        self.assertTrue(self.status()["drift"])
        others = self.mount_lines()
        said = self.sync("--detailed-exitcode", rc=2).err
        self.assertEqual(re.findall(r"(?m)mount (\S+)", said), [f"{ROOT}/home/spack"])
        again = self.mount_lines()
        self.assertEqual((len(again), again[:-1]), (len(before), others))
        self.check()

    def test_stranger_goes(self):
        self.publish()
        self.sync()
        must("mount", "-t", "tmpfs", "stranger", ROOT / "home/foo")
        self.check(rc=2)
        self.sync("--detailed-exitcode", rc=2)
        self.assertEqual((ROOT / "home/foo/own").read_text(), "foo")

    def test_late_source(self):
        """What is mounted over a source after the first sync is what the next sync shows."""
        self.publish()
        self.sync()
        must("mount", "-t", "tmpfs", "-o", "mode=755", "late", HOME / "foo")
        os.chown(HOME / "foo", 5001, 5001)
        (HOME / "foo/own").write_text("late")
        self.sync()
        self.assertEqual((ROOT / "home/foo/own").read_text(), "late")
        self.check()

    def test_missing_source_fails_and_the_rest_is_done(self):
        shutil.rmtree(HOME / "spack")
        self.publish()
        result = self.sync(rc=1)
        self.assertIn("/mnt/home/spack", result.err)
        self.assertEqual((ROOT / "home/foo/own").read_text(), "foo")
        report = self.status()
        self.assertEqual((report["failed"], report["error"]["code"], report["policy_version"]), (True, "source", 11))
        (HOME / "spack").mkdir()
        self.sync()
        self.assertIsNone(self.status()["error"])

    def test_optional_source_is_no_failure(self):
        self.publish()
        self.sync()
        (HOME / "late").mkdir()
        self.check(rc=2)
        self.sync()
        self.assertIn("late", self.seen())

    def test_once_a_day_without_validators(self):
        self.publish()
        self.sync()
        self.assertNotIn("If-None-Match", self.server.requests[-1])
        self.sync()
        self.assertIn("If-None-Match", self.server.requests[-1])
        day = (RUN / "whole").stat().st_mtime - 24 * 60 * 60
        os.utime(RUN / "whole", (day, day))
        before = self.kept()
        self.sync("--detailed-exitcode")
        self.assertNotIn("If-None-Match", self.server.requests[-1])
        self.assertEqual(self.kept(), before)
        self.sync()
        self.assertIn("If-None-Match", self.server.requests[-1])

    def test_other_address_is_asked_without_the_validators_of_this_one(self):
        self.publish()
        self.sync()
        self.configure(url=self.server.url.replace("127.0.0.1", "localhost"))
        self.sync("--detailed-exitcode")
        self.assertNotIn("If-None-Match", self.server.requests[-1])

    def test_policy_without_users_makes_no_file(self):
        self.policy["rules"] = [{"users": ["foo"], "nodes": ["other"], "jail": "partner"}]
        self.publish()
        self.sync()
        self.assertEqual([path.exists() for path in CHROOT_CONF], [False, False])
        self.assertEqual(self.status()["users"], 0)
        self.check()

    def test_json(self):
        self.publish()
        self.assertEqual(json.loads(self.sync("--json").out), json.loads(STATUS.read_text()))


if __name__ == "__main__":
    node.main()
