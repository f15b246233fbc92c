#!/usr/bin/env python3
"""Against jail-policyd itself: what jail-policy publishes is what the node takes."""

import socket
import subprocess
import time

import node
from node import ENVELOPE, PROGRAMS, TOP, NodeTest, must


class Endpoint(NodeTest):
    def setUp(self):
        super().setUp()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        (TOP / "serve").mkdir()
        self.publish()
        self.daemon = subprocess.Popen([PROGRAMS["policyd"], "--dir", TOP / "serve", "--listen", f"127.0.0.1:{port}", "--user", "nobody"],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(self.stop)
        self.configure(url=f"http://127.0.0.1:{port}/v1/policy.json")
        end = time.monotonic() + 10
        while socket.socket().connect_ex(("127.0.0.1", port)) != 0:
            self.assertLess(time.monotonic(), end, "jail-policyd does not listen")
            time.sleep(0.05)

    def stop(self):
        self.daemon.terminate()
        self.daemon.wait(timeout=10)

    def publish(self, change=None):
        super().publish(change)
        must(PROGRAMS["policy"], "publish", TOP / "work" / "envelope", "--to", TOP / "serve", "--trust", node.TRUST)
        return self.server.serve

    def test_the_way(self):
        self.sync("--detailed-exitcode", rc=2)
        before = self.kept()
        self.sync("--detailed-exitcode")
        self.assertEqual(self.kept(), before)
        envelope = self.publish(lambda p: p["rules"].pop())
        self.sync("--detailed-exitcode", rc=2)
        self.assertEqual(ENVELOPE.read_bytes(), envelope)
        self.assertEqual((self.seen(), self.status()["policy_version"]), (["foo", "spack"], 12))
        self.stop()
        self.assertIn("refused", self.sync(rc=3).err)


if __name__ == "__main__":
    node.main()
