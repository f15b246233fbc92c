"""diff: what changes, in words, and for whom."""

import copy

import workshop
import verdict

JAILS = {
    "a": {"confine": "chroot", "root": "/jails/a", "mounts": [{"bind": "/usr"}, {"bind": "/opt", "options": ["ro"]}]},
    "b": {"confine": "chroot", "root": "/jails/b", "mounts": [{"bind": "/usr"}]},
}


class Diff(workshop.Workshop):
    def setUp(self):
        super().setUp()
        self.before = workshop.policy(jails=copy.deepcopy(JAILS), rules=[{"users": ["ann", "bob"], "jail": "a"}])
        self.after = copy.deepcopy(self.before)

    def diff(self, code=2):
        self.write("old.json", self.before)
        self.write("new.json", self.after)
        done = self.run_program("diff", "old.json", "new.json")
        self.assertEqual((done.returncode, done.stderr), (code, ""), done.stdout)
        return done.stdout

    def people(self, before, after):
        """Lines about people, when these are the rules."""
        self.before["rules"], self.after["rules"] = before, after
        lines = self.diff().splitlines()
        return [line for line in lines if "confined: " in line.split("; before")[0] and not line.startswith("rule ")
                or line.startswith("confined otherwise")]

    def test_equal(self):
        self.assertEqual(self.diff(0), "")
        self.after["comment"] = "for people"
        self.after["jails"]["a"]["mounts"].reverse()  # a view is the same in whatever order it is written
        self.assertEqual(self.diff(0), "")

    def test_top(self):
        self.after.update(version=2, cluster="beta", expires="2036-01-01T00:00:00Z")
        text = self.diff()
        self.assertIn("version: 2; it was: 1\n", text)
        self.assertIn("cluster: beta; it was: alpha", text)
        self.assertIn("expires: 2036-01-01T00:00:00Z; it was: 20", text)

    def test_lower_version(self):
        self.before["version"] = 7
        self.assertIn("version: 1; it was: 7 (nodes refuse a lower version)\n", self.diff())

    def test_same_version(self):
        self.after["rules"] = []
        self.assertIn("note: both have version 1: nodes refuse ", self.diff())
        self.after["version"] = 2
        self.assertNotIn("note: ", self.diff())

    def test_jails(self):
        self.after["jails"]["c"] = self.after["jails"].pop("b")
        self.after["jails"]["a"]["root"] = "/jails/x"
        self.after["jails"]["a"]["shared"] = True
        self.after["jails"]["a"]["mounts"] = [
            {"bind": "/opt", "options": ["ro", "nosuid"]}, {"tmpfs": "/tmp", "size": "2048M", "mode": "0700"},
            {"bind": "%h", "from": "/data/%u", "optional": True}, {"proc": "/proc"}]
        lines = self.diff().splitlines()
        for line in ("jail b: gone (chroot to /jails/b, 1 mounts)", "jail c: new (chroot to /jails/b, 1 mounts)",
                     "jail a: root changed: /jails/x; it was: /jails/a", "jail a: now shared by its members",
                     "jail a: mount gone: bind /usr", "jail a: new mount: proc /proc, hidepid invisible",
                     "jail a: mount changed: bind /opt (ro,nosuid); it was: bind /opt (ro)",
                     "jail a: new mount: tmpfs /tmp, size 2G, mode 0700",
                     "jail a: new mount: bind %h from /data/%u, if it is there"):
            self.assertIn(line, lines)

    def test_namespace_jails(self):
        self.after["jails"]["a"] = {"confine": "namespace", "mounts": [
            {"hide": "/opt", "optional": True}, {"private": "/tmp"},
            {"private": "/dev/shm", "backing": "memory", "mode": "0700", "optional": True}]}
        self.after["jails"]["c"] = {"confine": "namespace", "mounts": [{"hide": "/home"}]}
        host = "the host, in a mount namespace of each session's own"
        lines = self.diff().splitlines()
        for line in (f"jail a: confinement changed: {host}; it was: chroot to /jails/a",
                     "jail a: mount changed: hide /opt, if it is there; it was: bind /opt (ro)",
                     "jail a: new mount: private /tmp, on disk",
                     "jail a: new mount: private /dev/shm, if it is there, in memory, mode 0700",
                     f"jail c: new ({host}, 1 mounts)"):
            self.assertIn(line, lines)
        self.before, self.after = self.after, copy.deepcopy(self.after)
        self.assertEqual(self.diff(0), "")
        self.after["jails"]["a"]["mounts"][1]["backing"] = "disk"  # as it was
        self.assertEqual(self.diff(0), "")
        self.after["jails"]["a"]["mounts"][1]["backing"] = "memory"
        self.assertIn("jail a: mount changed: private /tmp, in memory; it was: private /tmp, on disk\n", self.diff())

    def test_rules(self):
        self.before["rules"].append({"groups": ["x"], "jail": None})
        self.after["rules"] = [{"groups": ["x"], "jail": None}, {"users": ["ann", "bob"], "jail": "a"}]
        self.assertIn("rules: the same, in another order from rule 0 on\n", self.diff())
        self.after["rules"][0]["nodes"] = ["c[1-2]", "login1"]
        text = self.diff()
        self.assertIn("rule 1 gone: groups x: not confined\n", text)
        self.assertIn("rule 0 new: groups x on c[1-2],login1: not confined\n", text)

    def test_users(self):
        self.assertEqual(self.people(
            [{"users": ["ann", "bob"], "jail": "a"}],
            [{"users": ["bob"], "jail": "b"}, {"users": ["cid", "dan"], "jail": "a"}]),
            ["confined otherwise: users bob: jail b; before: jail a",
             "newly confined: users cid, dan: jail a; before: not confined",
             "no longer confined: users ann: not confined; before: jail a"])

    def test_first_rule_counts(self):
        """An exemption put first frees a user whom a later rule still names; by expression as well."""
        rules = [{"users": ["ann"], "jail": "a"}]
        self.assertEqual(self.people(rules, [{"match": "an+", "jail": None}, *rules]),
                         ["no longer confined: users ann: not confined; before: jail a"])
        self.assertEqual(self.people(rules, [*rules, {"match": "an+", "jail": None}]), [])

    def test_nodes(self):
        rules = [{"users": ["ann"], "jail": "a"}]
        self.assertEqual(
            self.people(rules, [{"users": ["ann"], "nodes": ["login[1-2]", "c1"], "jail": "b"}, *rules]),
            ["confined otherwise: users ann: jail b on login[1-2],c1, jail a elsewhere; before: jail a"])
        self.assertEqual(
            self.people([], [{"users": ["ann"], "nodes": ["c1"], "jail": "b"}]),
            ["newly confined: users ann: jail b on c1, not confined elsewhere; before: not confined"])

    def test_groups_and_expressions(self):
        self.assertEqual(self.people(
            [{"groups": ["ext-a"], "jail": "a"}, {"match": "v[0-9]", "jail": "a"}],
            [{"groups": ["ext-*"], "jail": "b"}]),
            ["confined otherwise: who is in ext-a: jail b; before: jail a",
             "newly confined: who is in ext-*: jail b; before: not confined",
             "no longer confined: who matches v[0-9]: not confined; before: jail a"])

    def test_limits_are_said(self):
        self.after["rules"] = [{"groups": ["x"], "jail": "b"}]
        self.assertIn("note: users are compared without their groups", self.diff())

    def test_many_users(self):
        self.after["rules"].append({"users": [f"u{i:05}" for i in range(30000)], "jail": "b"})
        text = self.diff()
        self.assertIn("rule 1 new: users u00000, u00001, u00002, u00003, u00004 and 29995 more: jail b\n", text)
        self.assertIn("u00019 and 29980 more: jail b; before: not confined\n", text)

    def test_envelope(self):
        self.keys("admin")
        self.sign(self.before, "admin")
        self.after["rules"] = []
        self.write("new.json", self.after)
        done = self.run_program("diff", "envelope", "new.json")
        self.assertEqual(done.returncode, 2)
        self.assertIn("note: envelope is an envelope; its signatures were not verified\n", done.stdout)
        self.assertIn("no longer confined: users ann, bob: not confined; before: jail a\n", done.stdout)

    def test_bad(self):
        self.write("old.json", self.before)
        self.after["rules"][0]["jail"] = "x"
        self.write("new.json", self.after)
        self.assertIn("[unknown-jail]", self.refused("new.json is no good policy: 1 error", "diff", "old.json", "new.json"))
        self.refused("cannot open none.json", "diff", "old.json", "none.json")
        self.usage("name two policies", "diff", "old.json")


if __name__ == "__main__":
    verdict.main()
