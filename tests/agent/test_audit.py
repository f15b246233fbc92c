#!/usr/bin/env python3
"""--audit on a node: its own PAM configuration and sshd, and real processes in and out of their view."""

import ctypes
import json
import os
import pathlib
import re
import signal
import subprocess
import threading
import time

import node
from node import PROGRAMS, ROOT, TOP, NodeTest, must, run

CLOSED = pathlib.Path(PROGRAMS["fixtures"]) / "audit" / "debian12_closed" / "tree"
CLONE_FS = 0x200
FOO, BAR, ALICE = 5001, 5002, 5003


class Node(NodeTest):
    def setUp(self):
        super().setUp()
        (TOP / "empty").mkdir()
        (TOP / "sbin").mkdir()
        (TOP / "pam.d").mkdir()
        for path in (CLOSED / "etc/pam.d").iterdir():
            (TOP / "pam.d" / path.name).write_text(path.read_text())
        self.cover(TOP / "pam.d", "/etc/pam.d")
        self.cover(CLOSED / "usr/lib/pam.d", "/usr/lib/pam.d")
        self.cover(TOP / "sbin", "/usr/sbin")
        for path in ("/etc/systemd/system", "/etc/slurm", "/etc/xinetd.d", "/var/lib/systemd/linger", "/var/lib/mlocate",
                     "/var/lib/plocate", "/var/cache/locate"):
            self.cover(TOP / "empty", path)
        self.sshd("echo usepam yes")
        self.publish()
        self.sync()
        self.pids = []
        self.addCleanup(self.end)

    def cover(self, source, target):
        if os.path.isdir(target):
            must("mount", "--bind", source, target)
            self.addCleanup(must, "umount", "-l", target)

    def sshd(self, script):
        path = TOP / "sbin" / "sshd"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def start(self, body):
        """A process that runs body, and is there when it is done with it."""
        ready, told = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                os.close(ready)
                body()
                os.write(told, b"x")
                signal.pause()
            finally:
                os._exit(1)
        self.pids.append(pid)
        os.close(told)
        self.assertEqual(os.read(ready, 1), b"x", "the process came up")
        os.close(ready)
        return pid

    def end(self):
        for pid in self.pids:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        self.pids.clear()

    def user(self, uid, jailed, real=None, effective=None):
        def body():
            if jailed:
                os.chroot(ROOT)
                os.chdir("/")
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid if real is None else real, uid if effective is None else effective, -1 if real == 0 else uid)
        return self.start(body)

    def audit(self, rc, *arguments):
        result = self.agent("--audit", *arguments)
        self.assertEqual(result.rc, rc, result.text)
        return result

    def lines(self, rc, kind):
        return [line for line in self.audit(rc).out.splitlines() if line.startswith(kind)]

    def json(self, rc):
        return json.loads(self.audit(rc, "--json").out)


class Doors(Node):
    def test_closed(self):
        self.assertEqual(self.lines(0, "open") + self.lines(0, "process"), [])

    def test_pam(self):
        path = TOP / "pam.d" / "common-session"
        path.write_text(path.read_text().replace("required	pam_jail.so", "optional	pam_jail.so"))
        line = [i for i, text in enumerate(path.read_text().splitlines(), 1) if "pam_jail" in text][0]
        found, = self.lines(2, "open")
        self.assertTrue(found.startswith(f'open: /etc/pam.d/common-session:{line}: "session optional pam_jail.so" '), found)
        door, = self.json(2)["doors"]
        self.assertEqual((door["path"], door["line"]), ("/etc/pam.d/common-session", line))
        self.assertIn("sshd", door["services"].split(", "))
        self.assertTrue(door["what"].endswith(door["services"]))
        self.assertIn("required", door["todo"])

    def test_sshd(self):
        self.sshd("echo port 22; echo usepam no")
        self.assertEqual(len(self.lines(2, "open: /etc/ssh/sshd_config")), 1)

    def test_sshd_is_asked_as_it_should_be(self):
        self.sshd(f'echo "$0 $@ $PATH $HOME" >{TOP}/asked; echo usepam yes')
        self.audit(0)
        self.assertEqual((TOP / "asked").read_text(),
                         "/usr/sbin/sshd -T -C user=root,host=localhost,addr=127.0.0.1 /usr/sbin:/usr/bin:/sbin:/bin \n")

    def test_sshd_fails(self):
        self.sshd("echo no hostkeys available >&2; exit 1")
        found, = self.lines(0, "warning: /etc/ssh/sshd_config")
        self.assertIn("no hostkeys available", found)

    def test_sshd_floods(self):
        self.sshd("exec cat /dev/zero")
        self.assertEqual(len(self.lines(0, "warning: /etc/ssh/sshd_config")), 1)

    def test_sshd_hangs(self):
        self.sshd("sleep 1000 & sleep 1000")
        begin = time.monotonic()
        self.assertEqual(len(self.lines(0, "warning: /etc/ssh/sshd_config")), 1)
        self.assertLess(time.monotonic() - begin, 20)
        left = [line for line in run("ps", "-e", "-o", "stat=,comm=").out.splitlines() if "sleep" in line and line[0] != "Z"]
        self.assertEqual(left, [], "what it started has ended with it")

    def test_no_sshd(self):
        (TOP / "sbin" / "sshd").unlink()
        self.assertEqual(self.lines(0, "open") + self.lines(0, "warning: /etc/ssh"), [])

    def test_a_second_sshd(self):
        """Told by the program of its process, which here is a shell that takes the file for a script, and by its arguments."""
        self.sshd('case "$*" in *hpc.conf*) echo usepam no;; *) echo usepam yes;; esac')
        (TOP / "bin").mkdir()
        (TOP / "bin" / "sshd").write_bytes(pathlib.Path("/bin/sh").read_bytes())
        (TOP / "bin" / "sshd").chmod(0o755)
        conf = TOP / "hpc.conf"
        conf.write_text("read line\nUsePAM no\n")
        out, into = os.pipe()
        self.addCleanup(os.close, into)
        self.pids.append(os.posix_spawn(TOP / "bin" / "sshd", ["sshd", "-f", str(conf)], {},
                                        file_actions=[(os.POSIX_SPAWN_DUP2, out, 0)]))
        os.close(out)
        self.assertEqual(len(self.lines(2, f"open: {conf}:2: ")), 1)
        self.end()
        self.assertEqual(self.lines(0, "open"), [])

    def test_root_in_disguise(self):
        with open(node.ETC / "group", "a", encoding="ascii") as file:
            file.write("docker:x:998:foo,alice\n")
        found, = self.lines(2, "open")
        self.assertTrue(found.startswith("open: /etc/group:8: foo, who is confined, is in the group docker"), found)

    def test_break_glass(self):
        self.publish(lambda p: p["rules"].append({"users": ["alice"], "jail": "partner"}))
        self.sync()
        self.assertIn("alice is in the break-glass group sudo, so never confined", self.audit(0).out)
        self.user(ALICE, jailed=False)
        self.assertEqual(self.lines(0, "process"), [])


class Processes(Node):
    def test_in_the_view(self):
        self.user(FOO, jailed=True)
        self.user(BAR, jailed=True)
        self.assertEqual(self.lines(0, "process"), [])

    def test_outside(self):
        begin = int(time.time())
        pid = self.user(FOO, jailed=False)
        self.user(FOO, jailed=True)
        line, = self.lines(2, "process")
        self.assertRegex(line, rf"^process: {pid} \S+ since \d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\dZ, foo, through .+; it is not in the view "
                               rf"of jail partner: end it \(kill {pid}\)$")
        stray, = self.json(2)["processes"]
        self.assertEqual((stray["pid"], stray["user"], stray["uid"], stray["jail"], stray["threads"]), (pid, "foo", FOO, "partner", 0))
        since = time.strptime(stray["since"], "%Y-%m-%dT%H:%M:%SZ")
        self.assertLess(abs(time.mktime(since) - time.timezone - begin), 5)

    def test_ended(self):
        pid = self.user(FOO, jailed=False)
        self.assertEqual(len(self.lines(2, f"process: {pid} ")), 1)
        self.end()
        self.assertEqual(self.lines(0, "process"), [])

    def test_by_group(self):
        self.user(BAR, jailed=False)
        self.assertIn(", bar, through ", self.lines(2, "process")[0])

    def test_others(self):
        self.user(ALICE, jailed=False)
        self.user(65534, jailed=False)
        self.user(7777, jailed=False)
        self.assertEqual(self.lines(0, "process"), [])

    def test_another_root(self):
        """Some chroot is not the view."""
        def body():
            os.chroot(TOP / "home")
            os.setresuid(FOO, FOO, FOO)
        self.start(body)
        self.assertEqual(len(self.lines(2, "process")), 1)

    def test_setuid_programs(self):
        """Run by foo, for root."""
        self.user(FOO, jailed=False, effective=0)
        self.assertEqual(len(self.lines(2, "process")), 1)

    def test_root_acts_for_a_user(self):
        pid = self.user(FOO, jailed=False, real=0)
        self.assertEqual(len(self.lines(2, f"process: {pid} ")), 1)

    def test_root_acts_for_a_moment(self):
        """As sshd does, to read authorized_keys."""
        def body():
            os.seteuid(FOO)
            signal.signal(signal.SIGUSR1, lambda *_: os.seteuid(0))
        pid = self.start(body)
        trace = TOP / "trace"
        # The agent waits before it looks again; that is the moment to stop being foo.
        agent = subprocess.Popen([PROGRAMS["strace"], "-o", trace, PROGRAMS["agent"], "--audit", "--config", node.CONFIG],
                                 stdout=subprocess.PIPE, text=True, env=node.TRACED)
        for _ in range(1000):
            if trace.exists() and "nanosleep" in trace.read_text():
                break
            time.sleep(0.01)
        os.kill(pid, signal.SIGUSR1)
        out, _ = agent.communicate()
        self.assertIn("nanosleep", trace.read_text(), "it doubted")
        self.assertNotIn("process: ", out)
        self.assertEqual(agent.returncode, 0)

    def thread_outside(self, jailed):
        """The first thread in its view or not, another one the other way."""
        libc = ctypes.CDLL(None, use_errno=True)

        def body():
            parted, go = threading.Event(), threading.Event()

            def other():
                assert libc.unshare(CLONE_FS) == 0
                if not jailed:
                    os.chroot(ROOT)
                parted.set()
                go.wait()

            threading.Thread(target=other, daemon=True).start()
            parted.wait()
            if jailed:
                os.chroot(ROOT)
            os.setresuid(FOO, FOO, FOO)
        return self.start(body)

    def test_a_thread_outside(self):
        pid = self.thread_outside(jailed=True)
        line, = self.lines(2, f"process: {pid} ")
        self.assertIn("1 of its threads are not in the view", line)
        self.assertEqual(self.json(2)["processes"][0]["threads"], 1)

    def test_the_first_thread_outside(self):
        pid = self.thread_outside(jailed=False)
        self.assertIn("; it is not in the view", self.lines(2, f"process: {pid} ")[0])

    def test_zombie(self):
        pid = self.user(FOO, jailed=False)
        os.kill(pid, signal.SIGKILL)
        for _ in range(200):
            if ") Z " in pathlib.Path(f"/proc/{pid}/stat").read_text():
                break
            time.sleep(0.01)
        self.assertIn(") Z ", pathlib.Path(f"/proc/{pid}/stat").read_text())
        self.assertEqual(self.lines(0, "process"), [])

    def test_command_of_the_users_choice(self):
        def body():
            pathlib.Path("/proc/self/comm").write_text("a\x1b[2Jb\"c")
            os.setresuid(FOO, FOO, FOO)
        pid = self.start(body)
        result = self.audit(2)
        self.assertIn(f'process: {pid} a?[2Jb"c since ', result.out)
        self.assertNotIn("\x1b", result.out)
        self.assertEqual(self.json(2)["processes"][0]["command"], "a\x1b[2Jb\"c")

    def test_no_view(self):
        """Of a view that is gone nobody is in it."""
        pid = self.user(FOO, jailed=True)
        must("umount", "-R", "-l", node.STATE / "roots")
        (node.STATE / "roots").rename(node.STATE / "moved")
        result = self.audit(2)
        self.assertIn(f"process: {pid} ", result.out)
        self.assertIn("the view of foo in jail partner is not there", result.out)

    def test_account_is_gone(self):
        """A name service that is away lets nobody out."""
        pid = self.user(FOO, jailed=False)
        (node.ETC / "passwd").write_text("\n".join(line for line in node.PASSWD.splitlines() if not line.startswith("foo:")) + "\n")
        self.assertEqual(len(self.lines(2, f"process: {pid} ")), 1)

    def test_cost(self):
        """One look for a process of somebody who is not confined, three for one in its view."""
        def calls():
            trace = TOP / "trace"
            result = run(PROGRAMS["strace"], "-f", "-o", trace, PROGRAMS["agent"], "--audit", "--config", node.CONFIG, env=node.TRACED)
            self.assertEqual(result.rc, 0, result.text)
            return len(trace.read_text().splitlines())

        for uid, jailed, most in ((65534, False, 1.2), (FOO, True, 3.2)):
            self.user(uid, jailed)
            before = calls()
            for _ in range(100):
                self.user(uid, jailed)
            self.assertLess((calls() - before) / 100, most)


class Codes(Node):
    def test_no_policy(self):
        node.CACHE.unlink()
        (TOP / "pam.d" / "sshd").write_text("session required pam_permit.so\n")
        result = self.audit(1)
        self.assertIn(str(node.CACHE), result.err)
        self.assertIn("open: /etc/pam.d/sshd:1: ", result.out, "doors are told all the same")
        found = self.json(1)
        self.assertIn(str(node.CACHE), found["error"])
        self.assertEqual(len(found["doors"]), 1)

    def test_not_root(self):
        result = run(PROGRAMS["agent"], "--audit", "--config", node.CONFIG, user=FOO)
        self.assertEqual((result.rc, result.out), (1, ""), result.text)

    def test_nothing_changes(self):
        before = self.kept()
        status = node.STATUS.read_bytes()
        self.user(FOO, jailed=False)
        self.audit(2)
        self.assertEqual(self.kept(), before)
        self.assertEqual(node.STATUS.read_bytes(), status)

    def test_json(self):
        found = self.json(0)
        self.assertEqual(sorted(found), ["doors", "error", "processes", "warnings"])
        self.assertEqual((found["doors"], found["processes"], found["error"]), ([], [], None))

    def test_damaged_cache(self):
        node.CACHE.write_bytes(b"x" * 4096)
        self.assertTrue(re.search("policy.cache", self.audit(1).err))


if __name__ == "__main__":
    node.main()
