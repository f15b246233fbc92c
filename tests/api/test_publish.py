"""publish: never backwards, never half a file, never the same mtime."""

import json
import os
import subprocess
import threading
import time

import workshop
import verdict
from workshop import policy


class Publish(workshop.Workshop):
    def setUp(self):
        super().setUp()
        self.keys("a")
        self.trust("a")
        self.file = self.dir / "www" / "v1" / "policy.json"

    def publish(self, content, *arguments, out="envelope"):
        self.sign(content, "a", out=out)
        return self.good("publish", out, "--to", "www", *arguments)

    def publish_refused(self, expected, content, *arguments):
        before = self.file.read_bytes(), self.file.stat().st_mtime_ns
        self.sign(content, "a", out="refused")
        self.refused(expected, "publish", "refused", "--to", "www", *arguments)
        self.assertEqual((self.file.read_bytes(), self.file.stat().st_mtime_ns), before)

    def test_first(self):
        os.umask(0o077)
        self.assertIn("www/v1/policy.json: version 1 of cluster alpha", self.publish(policy(1), "--trust", "trust.json"))
        self.assertEqual(self.file.read_bytes(), (self.dir / "envelope").read_bytes())
        for path, mode in ((self.file, 0o644), (self.file.parent, 0o755), (self.dir / "www", 0o755)):
            self.assertEqual(path.stat().st_mode & 0o7777, mode, path)
        self.assertEqual(os.listdir(self.file.parent), ["policy.json"])

    def test_again_is_nothing(self):
        self.publish(policy(1))
        before = self.file.stat()
        self.assertIn("version 1 is published already", self.good("publish", "envelope", "--to", "www"))
        self.assertEqual((self.file.stat().st_ino, self.file.stat().st_mtime_ns), (before.st_ino, before.st_mtime_ns))

    def test_mtime_goes_up(self):
        """nginx's ETag is mtime in seconds and size: neither two in one second nor a clock that went back may repeat one."""
        self.publish(policy(1))
        seen = [self.file.stat()]
        for version in (2, 3, 4):
            if version == 4:
                os.utime(self.file, ns=(0, (int(time.time()) + 1000) * 10**9 + 5))
                seen.append(self.file.stat())
            self.publish(policy(version))
            seen.append(self.file.stat())
        self.assertEqual(len({st.st_size for st in seen}), 1, "equal sizes are what this is about")
        for one, other in zip(seen, seen[1:]):
            if other.st_mtime_ns % 10**9 == 0:
                self.assertGreaterEqual(other.st_mtime_ns - one.st_mtime_ns, 10**9)

    def test_never_backwards(self):
        self.publish(policy(5))
        self.publish_refused("version 4 is older than 5", policy(4))
        self.publish_refused("version 4 is older than 5", policy(4), "--trust", "trust.json")
        self.publish_refused("version 5 is published with other content", policy(5, rules=[]))
        self.publish_refused('for cluster "beta", published there is one for "alpha"', policy(6, cluster="beta"))

    def test_another_signature(self):
        """The same bytes with one signature more are welcome: that is how a second person signs."""
        content = json.dumps(policy(1))
        self.publish(content)
        self.keys("b")
        self.sign(content, "a", "b")
        self.good("publish", "envelope", "--to", "www")
        self.assertEqual(len(json.loads(self.file.read_text())["signatures"]), 2)

    def test_trust(self):
        self.keys("stranger")
        self.publish(policy(1), "--trust", "trust.json")
        self.sign(policy(2), "stranger")
        self.refused("a node would refuse this: not enough good signatures", "publish", "envelope", "--to", "www",
                     "--trust", "trust.json")
        self.publish_refused("a node would refuse this: the policy expired", policy(2, expires=-1), "--trust", "trust.json")
        self.trust("a", cluster="beta", out="beta.json")
        self.publish_refused("a node would refuse this: the policy is for cluster", policy(2), "--trust", "beta.json")

    def test_malformed(self):
        self.publish(policy(1))
        self.write("junk", "{}")
        self.refused("junk: /payloadType: expected a string", "publish", "junk", "--to", "www")
        envelope = self.envelope()
        self.write("junk", {**envelope, "payload": "e30="})
        self.refused("junk: the policy in the envelope: ", "publish", "junk", "--to", "www")
        self.write("junk", {**envelope, "payloadType": "text/plain"})
        self.refused('junk: the envelope holds "text/plain"', "publish", "junk", "--to", "www")

    def test_damaged_publication(self):
        """A damaged or forged file stops nobody who can tell what is good, and nobody else goes on blindly."""
        self.publish(policy(1))
        good = self.file.read_text()
        for damaged in ("", "{}", good[:-10]):
            self.file.write_text(damaged)
            self.sign(policy(2), "a")
            self.refused("what is published now in www/v1/policy.json cannot be read", "publish", "envelope", "--to", "www")
            self.good("publish", "envelope", "--to", "www", "--trust", "trust.json")
            self.assertEqual(self.file.read_bytes(), (self.dir / "envelope").read_bytes())
        self.keys("forger")
        self.sign(policy(9), "forger", out="forged")
        self.file.write_bytes((self.dir / "forged").read_bytes())
        self.publish_refused("version 3 is older than 9", policy(3))
        done = self.run_program("publish", "refused", "--to", "www", "--trust", "trust.json")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("no node would accept what is published now", done.stderr)

    def test_no_strange_file(self):
        self.publish(policy(1))
        self.file.unlink()
        os.mkfifo(self.file)
        self.sign(policy(2), "a")
        self.refused("www/v1/policy.json", "publish", "envelope", "--to", "www")
        self.file.unlink()
        os.rmdir(self.file.parent)
        os.symlink("/", self.file.parent)
        self.refused("www: cannot open the directory v1", "publish", "envelope", "--to", "www")

    def test_leftover_of_a_crash(self):
        self.publish(policy(1))
        (self.file.parent / ".policy.json.new").write_text("half")
        self.publish(policy(2))
        self.assertEqual(os.listdir(self.file.parent), ["policy.json"])

    def test_atomic_and_one_at_a_time(self):
        """Readers see whole files only, with versions going up, while many publish at once."""
        versions = range(1, 41)
        for version in versions:
            self.sign(policy(version), "a", out=f"envelope-{version}")
        self.good("publish", "envelope-1", "--to", "www")
        seen, stop = [], threading.Event()

        def read():
            while not stop.is_set():
                seen.append(self.file.read_bytes())
        reader = threading.Thread(target=read)
        reader.start()
        try:
            started = [subprocess.Popen([workshop.PROGRAM, "publish", f"envelope-{version}", "--to", "www"], cwd=self.dir,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for version in versions]
            ended = [(process.communicate(timeout=60), process.returncode) for process in started]
        finally:
            stop.set()
            reader.join()
        for (_, said), code in ended:
            self.assertTrue(code == 0 or "is older than" in said, said)
        whole = {(self.dir / f"envelope-{version}").read_bytes(): version for version in versions}
        order = [whole[content] for content in seen]
        self.assertEqual(order, sorted(order))
        self.assertEqual(whole[self.file.read_bytes()], 40)
        self.assertEqual(os.listdir(self.file.parent), ["policy.json"])

    def test_usage(self):
        self.usage("--to DIR is missing", "publish", "envelope")
        self.usage("ENVELOPE is missing", "publish", "--to", "www")
        self.sign(policy(1), "a")
        self.refused("cannot make the directory no/www: No such file", "publish", "envelope", "--to", "no/www")


if __name__ == "__main__":
    verdict.main()
