#!/usr/bin/env python3
"""Servers that misbehave: each costs a bounded time and memory, and says what was wrong."""

import os
import re
import signal
import subprocess
import time

import node
from node import CONFIG, ENVELOPE, PROGRAMS, NodeTest, run


def answer(handler, body=b"", status=200, **headers):
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


class Transport(NodeTest):
    def setUp(self):
        super().setUp()
        self.publish()
        self.good = self.server.serve
        self.sync()
        self.before = self.kept()

    def bad(self, serve, code, *words, within=8):
        self.server.serve = serve
        began = time.monotonic()
        result = self.sync(rc=3)
        self.assertLess(time.monotonic() - began, within)
        for word in (*words, "kept: version 11"):
            self.assertIn(word, result.err)
        self.assertEqual(self.status()["error"]["code"], code)
        self.assertEqual(self.kept(), self.before)

    def test_redirect_is_not_followed(self):
        asked = len(self.server.requests)
        for status in (301, 302, 307, 308):
            self.bad(lambda h, s=status: answer(h, status=s, Location=self.server.url + "2", Content_Length="0"), "bad-answer",
                     f"redirect ({status})", "[policy]")
        self.assertEqual(len(self.server.requests), asked + 4)

    def test_status(self):
        for status in (204, 206, 404, 500, 503):
            self.bad(lambda h, s=status: answer(h, status=s, Content_Length="0"), "bad-answer", f"status {status}")

    def test_not_modified_without_being_asked(self):
        os.utime(node.RUN / "whole", (1, 1))
        self.bad(lambda h: answer(h, status=304), "bad-answer", "status 304")

    def test_truncated(self):
        self.bad(lambda h: answer(h, self.good[:100], Content_Length=str(len(self.good))), "bad-answer", "broke off")

    def test_endless_body(self):
        def endless(handler):
            answer(handler, Connection="close")
            while True:
                handler.wfile.write(b" " * (1 << 20))

        self.bad(endless, "bad-answer", "sends more than", within=20)

    def test_endless_chunks(self):
        def chunks(handler):
            answer(handler, Transfer_Encoding="chunked")
            while True:
                handler.wfile.write(b"100000\r\n" + b" " * (1 << 20) + b"\r\n")

        self.bad(chunks, "bad-answer", "sends more than", within=20)

    def test_announced_too_large(self):
        self.bad(lambda h: answer(h, b"x", Content_Length=str(1 << 40)), "bad-answer")

    def test_endless_headers(self):
        def headers(handler):
            handler.send_response(200)
            handler.flush_headers()
            while True:
                handler.wfile.write(b"X-More: " + b"x" * 8000 + b"\r\n")

        self.bad(headers, "bad-answer")

    def test_gzip_is_no_envelope(self):
        import gzip

        self.bad(lambda h: answer(h, gzip.compress(self.good), Content_Encoding="gzip", Connection="close"), "no-envelope")
        self.assertNotIn("Accept-Encoding", self.server.requests[-1])

    def test_slow_body(self):
        def slow(handler):
            answer(handler, Content_Length="1000")
            while True:
                handler.wfile.write(b"x")
                handler.wfile.flush()
                time.sleep(0.2)

        self.bad(slow, "bad-answer")

    def test_silence(self):
        self.bad(lambda h: time.sleep(6), "unreachable")

    def test_no_http(self):
        self.bad(lambda h: h.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n"), "unreachable")

    def test_proxy_of_the_environment_is_not_asked(self):
        self.server.serve = self.good
        environment = {**os.environ, "http_proxy": "http://127.0.0.1:1", "ALL_PROXY": "http://127.0.0.1:1"}
        self.assertEqual(self.agent("--sync", env=environment).rc, 0)

    def test_validators_that_are_not_worth_keeping(self):
        os.utime(node.RUN / "whole", (1, 1))
        self.server.serve = lambda h: answer(h, self.good, ETag='"' + "x" * 400 + '"', Connection="close")
        self.sync()
        self.sync()
        self.assertNotIn("If-None-Match", self.server.requests[-1])

    def test_last_modified(self):
        when = "Tue, 24 Nov 2026 03:39:42 GMT"
        os.utime(node.RUN / "whole", (1, 1))
        self.server.serve = lambda h: answer(h, self.good, Last_Modified=when, Connection="close")
        self.sync()
        self.server.serve = lambda h: answer(h, status=304)
        self.sync("--detailed-exitcode")
        self.assertEqual(self.server.requests[-1]["If-Modified-Since"], when)

    def test_https_wants_a_certificate(self):
        self.configure(url=self.server.url.replace("http:", "https:"))
        self.bad(self.good, "unreachable", "https://")

    def test_child_has_no_privileges(self):
        """Looked at from outside while it waits for an answer."""
        seen = {}

        def look(handler):
            parent = agent.pid
            child = int(run("pgrep", "-P", parent).out)
            seen["status"] = open(f"/proc/{child}/status", encoding="ascii").read()
            seen["fds"] = {name: os.readlink(f"/proc/{child}/fd/{name}") for name in os.listdir(f"/proc/{child}/fd")}
            seen["environ"] = open(f"/proc/{child}/environ", encoding="ascii").read()
            seen["limits"] = open(f"/proc/{child}/limits", encoding="ascii").read()
            seen["cwd"] = os.readlink(f"/proc/{child}/cwd")
            answer(handler, self.good, Connection="close")

        self.server.serve = look
        with subprocess.Popen([PROGRAMS["agent"], "--sync", "--config", CONFIG], stderr=subprocess.PIPE, text=True) as agent:
            self.assertEqual(agent.wait(timeout=20), 0, agent.stderr.read())
        status = seen["status"]
        self.assertRegex(status, r"(?m)^Uid:\t65534\t65534\t65534\t65534$")
        self.assertRegex(status, r"(?m)^Gid:\t65534\t65534\t65534\t65534$")
        self.assertRegex(status, r"(?m)^Groups:\s*$")
        for capabilities in ("CapEff", "CapPrm", "CapInh", "CapAmb"):
            self.assertRegex(status, rf"(?m)^{capabilities}:\t0+$")
        self.assertRegex(status, r"(?m)^NoNewPrivs:\t1$")
        for name, target in seen["fds"].items():
            self.assertTrue(target.startswith(("socket:", "pipe:", "anon_inode:")) or target == "/dev/null", (name, target))
        self.assertEqual(sum(target.startswith("pipe:") for target in seen["fds"].values()), 1)
        self.assertEqual(seen["cwd"], "/")
        self.assertRegex(seen["limits"], r"Max file size +0 ")
        self.assertRegex(seen["limits"], r"Max core file size +0 ")

    def test_the_envelope_is_opened_without_privileges(self):
        """In children without network: nobody has authenticated yet what they read."""
        self.server.serve = lambda h: answer(h, self.good, Connection="close")
        log = node.TOP / "work" / "trace"
        traced = run(PROGRAMS["strace"], "-f", "-qq", "-e", "trace=socket,setresuid,prctl,prlimit64,setrlimit", "-o", log,
                     PROGRAMS["agent"], "--sync", "--config", CONFIG, env=node.TRACED)
        self.assertEqual(traced.rc, 0, traced.text)
        calls = {}
        for line in log.read_text().splitlines():
            pid, call = line.split(maxsplit=1)
            calls.setdefault(pid, []).append(call)
        dropped = re.compile(r"setresuid\(65534, 65534, 65534\) += 0")
        children = [made for made in calls.values() if any(dropped.match(call) for call in made)]
        for made in children:
            self.assertTrue(any(call.startswith("prctl(PR_SET_NO_NEW_PRIVS, 1") for call in made), made)
        # One reads last-known-good, one fetches, one reads what came.
        openers = [made for made in children if not any(call.startswith("socket(") for call in made)]
        self.assertEqual((len(children), len(openers)), (3, 2), calls)
        for made in openers:
            self.assertRegex("\n".join(made), r"RLIMIT_NPROC, \{rlim_cur=0, rlim_max=0\}")

    def test_child_dies_with_the_agent(self):
        started = []

        def wait(handler):
            started.append(int(run("pgrep", "-P", agent.pid).out))
            time.sleep(3)

        self.server.serve = wait
        with subprocess.Popen([PROGRAMS["agent"], "--sync", "--config", CONFIG], stderr=subprocess.DEVNULL) as agent:
            while not started:
                time.sleep(0.02)
            agent.send_signal(signal.SIGKILL)
        end = time.monotonic() + 5
        while os.path.exists(f"/proc/{started[0]}") and time.monotonic() < end:
            state = re.search(r"State:\t(\w)", open(f"/proc/{started[0]}/status", encoding="ascii").read())
            if state and state[1] == "Z":  # nobody of this namespace has reaped it
                break
            time.sleep(0.02)
        else:
            self.assertFalse(os.path.exists(f"/proc/{started[0]}"))
        self.server.serve = self.good
        self.sync()
        self.assertEqual(ENVELOPE.read_bytes(), self.good)


if __name__ == "__main__":
    node.main()
