#!/usr/bin/env python3
"""An endpoint that is down, lies, or serves what must not be believed: exit 3, one clear line, everything stands."""

import json
import os

import node
from node import ACCEPTED, CACHE, ENVELOPE, HOME, ROOT, NodeTest, must


class Refusal(NodeTest):
    def setUp(self):
        super().setUp()
        self.publish()
        self.sync()
        self.before = self.kept()

    def refused(self, code, *words):
        result = self.sync(rc=3)
        self.assertEqual(len(result.err.strip().splitlines()), 1, result.text)
        for word in (*words, "kept: version 11"):
            self.assertIn(word, result.err)
        self.assertEqual(self.kept(), self.before)
        report = self.status()
        self.assertEqual((report["source"], report["policy_version"], report["error"]["code"]), ("cache", 11, code))
        self.assertEqual((report["failed"], report["drift"]), (False, False))
        self.assertIn("kept: version 11", report["error"]["message"])
        self.check()

    def forged(self, key="main", **fields):
        return self.sign({**self.policy, **fields}, key=key)

    def test_endpoint_down(self):
        self.server.close()
        self.refused("unreachable", self.server.url, "refused")

    def test_one_byte_changed(self):
        """Each byte of the payload is covered; a few of them are tried, and of the signature."""
        envelope = json.loads(self.server.serve)
        for field, holder in (("payload", envelope), ("sig", envelope["signatures"][0])):
            text = holder[field]
            for i in (0, len(text) // 2, len(text) - 5):
                holder[field] = text[:i] + ("B" if text[i] == "A" else "A") + text[i + 1:]
                self.server.serve = json.dumps(envelope).encode()
                self.refused("not-trusted", "signature")
            holder[field] = text

    def test_foreign_key(self):
        self.keygen("foreign")
        self.server.serve = self.forged(key="foreign", version=12)
        self.refused("not-trusted", "signature")

    def test_other_cluster(self):
        self.server.serve = self.forged(version=12, cluster="beta")
        self.refused("other-cluster", '"beta"', '"alpha"')

    def test_older_version(self):
        self.server.serve = self.forged(version=10)
        self.refused("older-version", "version 10", "11")

    def test_same_version_other_bytes(self):
        self.server.serve = self.forged(expires="2035-01-01T00:00:00Z")
        self.refused("same-version", "version 11")

    def test_expired(self):
        self.server.serve = self.forged(version=12, issued="2020-01-01T00:00:00Z", expires="2021-01-01T00:00:00Z")
        self.refused("expired-policy", "2021-01-01T00:00:00Z")

    def test_other_type(self):
        envelope = json.loads(self.server.serve)
        envelope["payloadType"] = "application/json"
        self.server.serve = json.dumps(envelope).encode()
        self.refused("not-trusted", "signature")

    def test_no_envelope(self):
        for text in (b"", b"<html>hello</html>", b"{", b"[]", b'{"payload": 1}', b"\xff" * 1000, b"[" * 100000,
                     self.server.serve[:-20], self.server.serve + b"x", b'{"a": "\\u0000"}'):
            self.server.serve = text
            self.refused("no-envelope")

    def test_refused_is_not_remembered(self):
        """Validators of what was refused are not kept: the next good answer is seen."""
        good = self.server.serve
        self.server.serve = b"{}"
        self.refused("no-envelope")
        self.server.serve = good
        self.sync("--detailed-exitcode")

    def test_mounts_are_put_back_from_last_known_good(self):
        must("umount", ROOT / "home/foo")
        self.server.close()
        self.assertIn("kept: version 11", self.sync(rc=3).err)
        self.assertEqual((ROOT / "home/foo/own").read_text(), "foo")

    def test_failure_counts_before_refusal(self):
        (HOME / "spack").rename(HOME / "gone")
        self.server.close()
        self.sync(rc=1)
        report = self.status()
        self.assertEqual((report["failed"], report["error"]["code"]), (True, "source"))
        self.assertIn("kept: version 11", "".join(report["warnings"]))

    def test_newer_after_refusal(self):
        self.server.serve = b"{}"
        self.refused("no-envelope")
        self.publish()
        self.sync()
        self.assertEqual(self.status()["policy_version"], 12)

    def test_signed_again_with_the_same_bytes(self):
        """Same version and payload in another envelope (here: in other white space) is the same policy, kept as it came."""
        other = json.dumps(json.loads(self.server.serve), indent=3).encode()
        self.server.serve = other
        self.sync()
        self.assertEqual(ENVELOPE.read_bytes(), other)
        self.sync("--detailed-exitcode")

    def test_floor_outlives_last_known_good(self):
        ENVELOPE.unlink()
        self.server.serve = self.forged(version=10)
        self.assertIn("older", self.sync(rc=1).err)
        self.assertFalse(ENVELOPE.exists())

    def test_floor_of_envelope_when_accepted_is_gone(self):
        for damage in (ACCEPTED.unlink, lambda: ACCEPTED.write_text("{")):
            damage()
            self.server.serve = self.forged(version=10)
            self.assertIn("older", self.sync(rc=3).err)
        self.server.serve = self.forged()
        self.sync()
        self.assertEqual(json.loads(ACCEPTED.read_text())["version"], 11)

    def test_killed_between_envelope_and_floor(self):
        """The envelope of a newer version is there, accepted.json is of the older one."""
        newer = self.forged(version=12)
        ENVELOPE.write_bytes(newer)
        self.assertIn("older", self.sync(rc=3).err)
        self.assertNotIn("If-None-Match", self.server.requests[-1])
        self.assertEqual(self.status()["policy_version"], 12)
        self.server.serve = newer
        self.sync()
        self.assertEqual(json.loads(ACCEPTED.read_text())["version"], 12)

    def test_last_known_good_is_verified_at_each_load(self):
        good = ENVELOPE.read_bytes()
        self.server.close()
        for bad in (good[:-30], good.replace(b'"payload":', b'"payl0ad":'), b""):
            ENVELOPE.write_bytes(bad)
            result = self.sync(rc=1)
            self.assertIn("last-known-good cannot be used", result.err)
            self.assertEqual(self.status()["error"]["code"], "unreachable")
            self.assertEqual(self.check(rc=1).rc, 1)
        ENVELOPE.write_bytes(good)
        os.chown(ENVELOPE, 5001, 5001)
        self.assertIn("not to root", self.sync(rc=1).err)
        self.assertTrue(CACHE.exists(), "sessions go by it as before")

    def test_damaged_last_known_good_heals(self):
        ENVELOPE.write_bytes(b"{}")
        self.sync()
        self.assertNotIn("If-None-Match", self.server.requests[-1])
        self.assertEqual(ENVELOPE.read_bytes(), self.server.serve)
        self.check()


class NoPolicy(NodeTest):
    def test_nothing_anywhere(self):
        self.server.close()
        result = self.sync(rc=1)
        self.assertIn("there is no policy yet", result.err)
        report = self.status()
        self.assertEqual((report["source"], report["policy_version"], report["failed"]), ("none", None, True))
        self.assertEqual(report["error"]["code"], "unreachable")
        self.assertFalse(CACHE.exists())
        self.assertEqual(self.check(rc=1).rc, 1)
        self.assertIn("there is no policy on this node yet", self.sync("--offline", rc=1).err)

    def test_first_policy_is_bad(self):
        self.keygen("foreign")
        self.server.serve = self.sign(self.policy, key="foreign")
        self.assertIn("signature", self.sync(rc=1).err)
        self.assertFalse(ENVELOPE.exists() or CACHE.exists())

    def test_trust_file(self):
        self.publish()
        for change, word in ((lambda p: p.write_text("{"), " 1:2: "), (lambda p: os.chown(p, 5001, 0), "not to root"),
                             (lambda p: p.unlink(), "No such file")):
            change(node.TRUST)
            result = self.sync(rc=1)
            self.assertIn(str(node.TRUST), result.err)
            self.assertIn(word, result.err)


if __name__ == "__main__":
    node.main()
