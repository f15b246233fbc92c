"""keygen, trust init, and the command line as such."""

import json
import os
import pathlib
import re
import subprocess

import workshop
import verdict


class CommandLine(workshop.Workshop):
    COMMANDS = ("keygen", "trust", "lint", "sign", "verify", "publish", "diff", "explain")

    def test_help(self):
        overview = self.good("--help")
        for command in self.COMMANDS:
            self.assertIn(f"\n  {command} ", overview)
            self.assertTrue(self.good(command, "--help").startswith(f"usage: jail-policy {command} "))
        self.assertRegex(self.good("--version"), r"^jail-policy \d+\.\d+\.\d+\n$")

    def test_documents(self):
        """Every command and option that usage names is in the man page and completed by the shell."""
        packaging = pathlib.Path(__file__).resolve().parents[2] / "packaging"
        page = (packaging / "man" / "jail-policy.1").read_text()
        completion = (packaging / "completions" / "jail-policy").read_text()
        for command in self.COMMANDS:
            self.assertIn(f"\n.Cm {command}", page)
            self.assertRegex(completion, rf"-W '[^']*\b{command}\b")
            for option in re.findall(r"--([a-z]+)", self.good(command, "--help")):
                self.assertIn(f"Fl -{option}", page)
                self.assertIn(f"--{option}", completion)

    def test_usage(self):
        self.assertIn("usage: ", self.refused("keygen", code=64))
        self.assertIn("usage: ", self.refused('there is no command "frob"', "frob", code=64))
        for command in self.COMMANDS:
            self.refused("--frob", command, "--frob", code=64)
            self.refused(f"usage: jail-policy {command} ", command, code=64)

    def test_full_disk(self):
        with open("/dev/full", "w", encoding="ascii") as full:
            done = subprocess.run([workshop.PROGRAM, "--version"], stdout=full, stderr=subprocess.PIPE, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"No space left on device", done.stderr)


class Keygen(workshop.Workshop):
    def test_files(self):
        os.umask(0o077)
        keyid, = self.keys("admin")
        self.assertRegex(keyid, "^[0-9a-f]{64}$")
        self.assertEqual((self.dir / "admin.key").stat().st_mode & 0o7777, 0o600)
        self.assertEqual((self.dir / "admin.pub").stat().st_mode & 0o7777, 0o644)
        self.assertTrue((self.dir / "admin.key").read_text().startswith("-----BEGIN PRIVATE KEY-----\n"))
        self.assertTrue((self.dir / "admin.pub").read_text().startswith("-----BEGIN PUBLIC KEY-----\n"))

    def test_openssl_reads_it(self):
        self.keys("admin")
        public = subprocess.run(["openssl", "pkey", "-in", self.dir / "admin.key", "-pubout"], capture_output=True,
                                check=True).stdout
        self.assertEqual(public, (self.dir / "admin.pub").read_bytes())

    def test_never_overwrites(self):
        self.keys("admin")
        before = [(self.dir / name).read_bytes() for name in ("admin.key", "admin.pub")]
        self.refused("admin.key exists already", "keygen", "--out", "admin")
        os.unlink(self.dir / "admin.key")
        self.refused("admin.pub exists already", "keygen", "--out", "admin")
        self.assertFalse((self.dir / "admin.key").exists(), "a key without its public half was left")
        self.assertEqual(before[1], (self.dir / "admin.pub").read_bytes())

    def test_no_symlink_is_followed(self):
        os.symlink("elsewhere", self.dir / "admin.key")
        self.refused("admin.key exists already", "keygen", "--out", "admin")
        self.assertFalse((self.dir / "elsewhere").exists())

    def test_two_keys_differ(self):
        one, two = self.keys("one", "two")
        self.assertNotEqual(one, two)

    def test_usage(self):
        self.usage("--out NAME is missing", "keygen")
        self.usage('unexpected argument "x"', "keygen", "--out", "a", "x")
        self.refused("No such file or directory", "keygen", "--out", "missing/a")


class Trust(workshop.Workshop):
    def test_content(self):
        ids = self.keys("a", "b")
        self.assertIn("cluster alpha, 2 of 2 keys must sign", self.trust("a", "b", threshold=2))
        trust = json.loads((self.dir / "trust.json").read_text())
        self.assertEqual(trust, {
            "format": 1, "cluster": "alpha", "threshold": 2,
            "keys": [{"keyid": keyid, "pem": (self.dir / f"{name}.pub").read_text()} for keyid, name in zip(ids, "ab")]})
        self.assertEqual((self.dir / "trust.json").stat().st_mode & 0o7777, 0o644)

    def test_keeps_what_is_there(self):
        self.keys("a", "b")
        self.trust("a")
        before = (self.dir / "trust.json").read_bytes()
        self.trust("a")
        self.refused("trust.json exists already and trusts something else", "trust", "init", "--cluster", "alpha",
                     "--key", "b.pub", "-o", "trust.json")
        self.assertEqual((self.dir / "trust.json").read_bytes(), before)

    def test_refusals(self):
        self.keys("a")
        self.write("junk", "no key")
        init = ("trust", "init", "--cluster", "alpha", "-o", "t")
        self.usage("--threshold 2, and 1 key given", *init, "--key", "a.pub", "--threshold", "2")
        self.usage("expected 1 to 1", *init, "--key", "a.pub", "--threshold", "0")
        self.usage("is not a number", *init, "--key", "a.pub", "--threshold", "-1")
        self.usage("is not a number", *init, "--key", "a.pub", "--threshold", "1x")
        self.usage("--key NAME.pub is missing", *init)
        self.usage("--cluster C is missing", "trust", "init", "--key", "a.pub", "-o", "t")
        self.usage("-o TRUST.json is missing", "trust", "init", "--cluster", "a", "--key", "a.pub")
        self.usage("cannot be a cluster's name", "trust", "init", "--cluster", "A b", "--key", "a.pub", "-o", "t")
        self.usage('expected "init"', "trust", "frob")
        self.refused("a.pub and a.pub are the same key", *init, "--key", "a.pub", "--key", "a.pub")
        self.refused("a.key: this is a private key", *init, "--key", "a.key")
        self.refused("junk: expected a public key in PEM", *init, "--key", "junk")
        self.refused("cannot open missing: No such file", *init, "--key", "missing")
        self.assertFalse((self.dir / "t").exists())


if __name__ == "__main__":
    verdict.main()
