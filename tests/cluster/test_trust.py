#!/usr/bin/env python3
"""An endpoint that is down, lies, or serves what must not be believed: exit 3, one clear line, everything stands."""

import json

import harness
from harness import ENVELOPE, MOUNTS, NODES, POLICY_PROGRAM, URL, ClusterTest, root, run, ssh, status, sync

SEEN = ["bar", "foo", "spack"]
NOT_SIGNED = "not enough good signatures: 0 of the 1 trusted keys signed these bytes, 1 must "
# Beside the envelope: all that an accepted policy leaves on a node.
KEPT = ("/var/lib/clusterjail/accepted.json", "/var/lib/clusterjail/made", "/var/lib/clusterjail/policy.cache", "/etc/chroot.conf",
        "/etc/security/chroot.conf")


class Trust(ClusterTest):
    def setUp(self):
        self.before = {node: self.snapshot(node) for node in NODES}

    def tearDown(self):
        root("ctl", "systemctl start jail-policyd")
        self.admin.serve_raw(self.admin.envelope)
        for node in NODES:
            self.assertEqual(sync(node).rc, 0)

    @staticmethod
    def snapshot(node):
        return root(node, f"sha256sum {ENVELOPE} {' '.join(KEPT)} && stat -c '%n %i %Y %Z %a %u' {ENVELOPE} {' '.join(KEPT)} && {MOUNTS}").out

    def refused(self, code, why):
        """code: the word for scripts in the status; why: what is said of it, an expression. The whole line is looked at."""
        version = self.admin.policy["version"]
        begin = rf"cannot reach {URL}: " if code == "unreachable" else rf"refused what {URL} serves: "
        line = rf"(?m)^(jail-agent: )?{begin}{why}.*; kept: version {version} as last accepted$"
        for node in NODES:
            result = sync(node, check=False)
            self.assertEqual(result.rc, 3, result.text)
            self.assertRegex(result.out + result.err, line, node)
            self.assertEqual(self.snapshot(node), self.before[node], f"{node}: nothing may have changed")
            report = status(node)
            self.assertFalse(report["failed"], "what was accepted before is enforced to the end")
            self.assertEqual(report["source"], "cache", report)
            self.assertEqual((report["policy_version"], report["error"]["code"]), (version, code), report)
            self.assertRegex(report["error"]["message"], line, report)
            self.assertSees(ssh("foo", node, "ls /home"), SEEN, node)
            self.assertOnHost("alice", node)

    def forged(self, change=None, key="main"):
        """A correctly made envelope for a changed policy; the real policy.json stays."""
        policy = dict(self.admin.policy)
        if change:
            change(policy)
        return self.admin.sign(policy, key=key, out=self.admin.dir / "forged")

    def test_endpoint_down(self):
        root("ctl", "systemctl stop jail-policyd")
        self.refused("unreachable", r"\S.*[Cc]onnect")

    def test_one_byte_changed(self):
        envelope = json.loads(self.admin.envelope.read_text())
        middle = len(envelope["payload"]) // 2
        old = envelope["payload"][middle]
        envelope["payload"] = envelope["payload"][:middle] + ("A" if old != "A" else "B") + envelope["payload"][middle + 1:]
        path = self.admin.dir / "changed"
        path.write_text(json.dumps(envelope))
        self.admin.serve_raw(path)
        self.refused("not-trusted", NOT_SIGNED)

    def test_foreign_key(self):
        if not (self.admin.dir / "foreign.key").exists():
            run(POLICY_PROGRAM, "keygen", "--out", self.admin.dir / "foreign")
        self.admin.serve_raw(self.forged(lambda p: p.update(version=p["version"] + 1), key="foreign"))
        self.refused("not-trusted", NOT_SIGNED)

    def test_other_cluster(self):
        self.admin.serve_raw(self.forged(lambda p: p.update(version=p["version"] + 1, cluster="beta")))
        self.refused("other-cluster", 'the policy is for cluster "beta", this trust file for "alpha"')

    def test_older_version(self):
        self.admin.serve_raw(self.forged(lambda p: p.update(version=p["version"] - 1)))
        version = self.admin.policy["version"]
        self.refused("older-version", f"the policy's version {version - 1} is older than {version}")

    def test_same_version_other_bytes(self):
        self.admin.serve_raw(self.forged(lambda p: p.update(expires="2035-01-01T00:00:00Z")))
        version = self.admin.policy["version"]
        self.refused("same-version", f"version {version} was accepted before with other content")

    def test_expired(self):
        self.admin.serve_raw(self.forged(lambda p: p.update(version=p["version"] + 1, issued="2020-01-01T00:00:00Z",
                                                            expires="2021-01-01T00:00:00Z")))
        self.refused("expired-policy", "the policy expired at 2021-01-01T00:00:00Z")

    def test_not_json(self):
        path = self.admin.dir / "hello.html"
        path.write_text("<html>hello</html>")
        self.admin.serve_raw(path)
        self.refused("no-envelope", "no envelope, ")


if __name__ == "__main__":
    harness.main()
