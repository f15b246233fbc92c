"""sign and verify: exact bytes, lint first, what a node would say."""

import base64
import ctypes
import json
import os
import subprocess

import workshop
import verdict
from workshop import policy


class Sign(workshop.Workshop):
    def test_exact_bytes(self):
        self.keys("a")
        text = "\n" + json.dumps(policy(42), indent=3) + "\n\n\t "
        self.sign(text, "a")
        self.assertEqual(self.payload(), text.encode())
        self.assertEqual(self.envelope()["payloadType"], "application/vnd.clusterjail.policy+json")
        self.assertEqual((self.dir / "envelope").stat().st_mode & 0o7777, 0o644)

    def test_another_library_agrees(self):
        """The signature is Ed25519 over DSSE's encoding, told by libsodium."""
        self.keys("a")
        self.sign(policy(), "a")
        kind, body = self.envelope()["payloadType"].encode(), self.payload()
        encoded = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(body), body)
        spki = base64.b64decode("".join((self.dir / "a.pub").read_text().splitlines()[1:-1]))
        key = spki[-32:]  # the last of an Ed25519 SubjectPublicKeyInfo (RFC 8410)
        signature = base64.b64decode(self.envelope()["signatures"][0]["sig"])
        sodium = ctypes.CDLL("libsodium.so.23")
        for text, verdict_of_sodium in ((encoded, 0), (encoded + b" ", -1)):
            length = ctypes.c_ulonglong(len(text))
            self.assertEqual(sodium.crypto_sign_verify_detached(signature, text, length, key), verdict_of_sodium)

    def test_keys(self):
        ids = self.keys("a", "b")
        self.sign(policy(), "a", "b", "a")
        self.assertEqual([one["keyid"] for one in self.envelope()["signatures"]], ids)

    def test_lint_comes_first(self):
        self.keys("a")
        self.write("p.json", '{\n "format": 1,\n "frob": 2}')
        said = self.refused("was not signed", "sign", "p.json", "--key", "a.key", "-o", "e")
        self.assertRegex(said, r"(?m)^p\.json:3:10: /frob: .*\[unknown-field\]$")
        self.assertFalse((self.dir / "e").exists())
        self.write("p.json", '{"format": 1,,}')
        self.assertIn("p.json:1:14: ", self.refused("was not signed", "sign", "p.json", "--key", "a.key", "-o", "e"))

    def test_output_is_kept_on_failure(self):
        self.keys("a")
        self.sign(policy(), "a")
        before = (self.dir / "envelope").read_bytes()
        self.write("bad.json", {})
        self.refused("was not signed", "sign", "bad.json", "--key", "a.key", "-o", "envelope")
        self.refused("cannot open missing.key", "sign", "envelope.json", "--key", "missing.key", "-o", "envelope")
        self.assertEqual((self.dir / "envelope").read_bytes(), before)

    def test_inputs_are_not_overwritten(self):
        self.keys("a")
        self.write("p.json", policy())
        before = (self.dir / "p.json").read_bytes()
        os.link(self.dir / "p.json", self.dir / "same.json")
        self.usage("is the policy itself", "sign", "p.json", "--key", "a.key", "-o", "same.json")
        self.usage("is a key", "sign", "p.json", "--key", "a.key", "-o", "a.key")
        self.assertEqual((self.dir / "p.json").read_bytes(), before)

    def test_wrong_keys(self):
        self.keys("a")
        self.write("p.json", policy())
        openssl = ["openssl", "genpkey", "-out"]
        subprocess.run([*openssl, self.dir / "locked.key", "-algorithm", "ed25519", "-aes256", "-pass", "pass:x"], check=True)
        subprocess.run([*openssl, self.dir / "x.key", "-algorithm", "X25519"], check=True)
        for key, expected in (("a.pub", "a.pub: this is a public key"),
                              ("locked.key", "locked.key: the key is encrypted with a passphrase"),
                              ("x.key", "x.key: expected an Ed25519 key, found one of kind X25519"),
                              ("p.json", "p.json: expected a private key in PEM")):
            self.refused(expected, "sign", "p.json", "--key", key, "-o", "e")
        self.assertFalse((self.dir / "e").exists())

    def test_warnings(self):
        self.keys("a")
        self.write("p.json", policy(expires=-1))
        os.chmod(self.dir / "a.key", 0o640)
        done = self.run_program("sign", "p.json", "--key", "a.key", "-o", "e")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("a.key may be read by others (mode 0640)", done.stderr)
        self.assertIn("this policy expired at ", done.stderr)

    def test_standard_input(self):
        self.keys("a")
        self.good("sign", "-", "--key", "a.key", "-o", "e", stdin=json.dumps(policy(7)))
        self.assertEqual(json.loads(self.payload("e"))["version"], 7)

    def test_usage(self):
        self.usage("POLICY.json is missing", "sign", "--key", "a.key", "-o", "e")
        self.usage("--key NAME.key is missing", "sign", "p.json", "-o", "e")
        self.usage("-o ENVELOPE is missing", "sign", "p.json", "--key", "a.key")
        self.usage("expected one POLICY.json", "sign", "p.json", "q.json", "--key", "a.key", "-o", "e")


class Verify(workshop.Workshop):
    def verify_refused(self, expected, name="envelope"):
        self.refused(expected, "verify", name, "--trust", "trust.json")

    def change(self, edit):
        envelope = self.envelope()
        edit(envelope)
        self.write("envelope", envelope)

    def test_good(self):
        ids = self.keys("a", "b", "c")
        self.trust("a", "b", "c", threshold=2)
        self.sign(policy(42), "c", "a")
        said = self.good("verify", "envelope", "--trust", "trust.json")
        self.assertIn("cluster  alpha\nversion  42\nsha256   ", said)
        self.assertIn(f"signed   {ids[0]}\nsigned   {ids[2]}\n", said)
        self.assertNotIn(ids[1], said)
        self.assertIn("good: 2 of the 3 trusted keys signed, 2 must", said)

    def test_threshold(self):
        ids = self.keys("a", "b", "stranger")
        self.trust("a", "b", threshold=2)
        self.sign(policy(), "a", "stranger")
        self.verify_refused("envelope: not enough good signatures: 1 of the 2 trusted keys")

        def twice(envelope):
            envelope["signatures"].append({**envelope["signatures"][0], "keyid": ids[1]})
        self.change(twice)
        self.verify_refused("not enough good signatures: 1 of the 2 trusted keys")

    def test_changed(self):
        self.keys("a")
        self.trust("a")
        text = json.dumps(policy(1))
        self.sign(text, "a")

        def payload(envelope):
            envelope["payload"] = base64.b64encode(text.replace("foo", "bar").encode()).decode()
        self.change(payload)
        self.verify_refused("not enough good signatures: 0 of the 1 trusted keys")
        self.sign(text, "a")
        self.change(lambda envelope: envelope.update(payloadType="application/json"))
        self.verify_refused("not enough good signatures: 0 of the 1 trusted keys")

    def test_keyid_decides_nothing(self):
        self.keys("a")
        self.trust("a")
        self.sign(policy(), "a")
        for keyid in ("", "nonsense"):
            self.change(lambda envelope, keyid=keyid: envelope["signatures"][0].update(keyid=keyid))
            self.good("verify", "envelope", "--trust", "trust.json")
        self.change(lambda envelope: envelope["signatures"][0].pop("keyid"))
        self.good("verify", "envelope", "--trust", "trust.json")

    def test_other_cluster(self):
        self.keys("a")
        self.trust("a")
        self.sign(policy(cluster="beta"), "a")
        self.verify_refused('the policy is for cluster "beta", this trust file for "alpha"')

    def test_expired(self):
        self.keys("a")
        self.trust("a")
        self.sign(policy(expires=-1), "a")
        self.verify_refused("the policy expired at ")

    def test_no_envelope(self):
        self.keys("a")
        self.trust("a")
        self.write("envelope", policy())
        self.verify_refused("an envelope has no such field")
        self.write("envelope", '{"payloadType": "x",\n "payload" "eA=="}')
        self.verify_refused("envelope:2:12: expected ':' after a name, found '\"'")
        self.write("trust.json", '{"format": 1}')
        self.verify_refused("trust.json:1:1: /cluster: expected the cluster's name")

    def test_usage(self):
        self.usage("ENVELOPE is missing", "verify", "--trust", "trust.json")
        self.usage("--trust TRUST.json is missing", "verify", "envelope")


if __name__ == "__main__":
    verdict.main()
