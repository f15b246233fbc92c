#!/usr/bin/env python3
"""Two agents at once: one waits, and says so."""

import fcntl
import os
import subprocess
import threading
import time

import node
from node import CONFIG, PROGRAMS, RUN, NodeTest


class Lock(NodeTest):
    def start(self, verb="--sync"):
        return subprocess.Popen([PROGRAMS["agent"], verb, "--config", CONFIG], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def test_one_waits(self):
        self.publish()
        good, entered = self.server.serve, threading.Event()

        def slow(handler):
            entered.set()
            time.sleep(0.7)
            self.server.serve = good
            handler.send_response(200)
            handler.end_headers()
            handler.wfile.write(good)

        self.server.serve = slow
        with self.start() as first:
            self.assertTrue(entered.wait(10))
            with self.start() as second:
                said = second.communicate(timeout=30)[1]
            self.assertEqual((first.wait(timeout=10), second.returncode), (0, 0), said)
        self.assertIn(f"another jail-agent (pid {first.pid}) is at work, waiting", said)
        self.assertIn("nothing to do", said)

    def test_many_at_once(self):
        self.publish()
        agents = [self.start() for _ in range(8)]
        results = [(agent.communicate(timeout=60)[1], agent.returncode) for agent in agents]
        self.assertEqual([rc for _, rc in results], [0] * 8, results)
        self.assertEqual(sum("; changed" in said for said, _ in results), 1)
        self.check()

    def test_lock_of_a_dead_agent_is_none(self):
        self.publish()
        self.sync()
        self.server.serve = lambda handler: time.sleep(2)
        with self.start() as agent:
            time.sleep(0.5)
            agent.kill()
        self.sync("--offline")

    def test_the_file_stays_empty_and_is_roots_alone(self):
        """Whoever could open it could hold a lock on it."""
        self.publish()
        self.sync()
        before = (RUN / "lock").stat()
        self.assertEqual((before.st_size, before.st_mode & 0o777), (0, 0o600))
        self.sync()
        self.agent("--check")
        after = (RUN / "lock").stat()
        self.assertEqual((after.st_size, after.st_mtime_ns, after.st_ctime_ns), (0, before.st_mtime_ns, before.st_ctime_ns))

    def test_two_checks_do_not_wait_for_each_other(self):
        self.publish()
        self.sync()
        with open(RUN / "lock", "r", encoding="ascii") as lock:
            fcntl.lockf(lock, fcntl.LOCK_SH)
            self.assertNotIn("another", self.check().err)
            with self.start() as sync:
                time.sleep(0.3)
                self.assertIsNone(sync.poll(), "a sync waits for who looks")
                fcntl.lockf(lock, fcntl.LOCK_UN)
                self.assertEqual(sync.wait(timeout=10), 0)

    def test_check_waits_for_a_sync(self):
        self.publish()
        self.sync()
        with open(RUN / "lock", "r+", encoding="ascii") as lock:
            fcntl.lockf(lock, fcntl.LOCK_EX)
            with self.start("--check") as check:
                time.sleep(0.3)
                self.assertIsNone(check.poll())
                fcntl.lockf(lock, fcntl.LOCK_UN)
                said = check.communicate(timeout=10)[1]
                self.assertEqual(check.returncode, 0, said)
        self.assertIn(f"another jail-agent (pid {os.getpid()}) is at work, waiting", said)

    def test_gives_up(self):
        self.publish()
        self.sync()
        with open(RUN / "lock", "r+", encoding="ascii") as lock:
            fcntl.lockf(lock, fcntl.LOCK_EX)
            began = time.monotonic()
            result = self.sync(rc=1)
        self.assertIn(f"another jail-agent (pid {os.getpid()}) has been at work for 30 s and more: nothing was done", result.err)
        self.assertTrue(25 < time.monotonic() - began < 40)


if __name__ == "__main__":
    node.main()
