"""The test cluster as the people who use it see it: users who log in, jobs that run, an administrator who edits JSON.

Every test file is a program: python3 test_X.py. A skipped test is a failed one.
"""

import contextlib
import copy
import json
import os
import pathlib
import pty
import re
import select
import shlex
import signal
import subprocess
import sys
import time
import unittest

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
import verdict  # tests/verdict.py, for every folder of tests

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("CLUSTERJAIL_BUILD", TOP / "build" / "release"))
TESTBED = TOP / "tests" / "cluster" / "testbed"
POLICY_PROGRAM = BUILD / "api" / "policy" / "jail-policy"
NODES = ("login1", "c1", "c2")
COMPUTE = ("c1", "c2")
URL = "http://ctl:8480/v1/policy.json"
SERVICE = "runuser"  # opens sessions and includes no shared stack, so that it has a line of its own
CACHE = "/var/lib/clusterjail/policy.cache"
ENVELOPE = "/var/lib/clusterjail/policy.envelope"
ROOTS = "/var/lib/clusterjail/roots"
PARTNER = ROOTS + "/partner"
# The mount table of a node, but for what systemd mounts and unmounts with each login and service.
MOUNTS = "grep -vE '/run/(user|credentials)/' /proc/self/mountinfo"

# The recipe as a policy, for both partners in one shared root.
BINDS = ("/bin", "/dev", "/etc", "/lib", "/lib64", "/opt", "/proc", "/run", "/sbin", "/srv", "/sys", "/tmp", "/usr", "/var")
POLICY = {
    "format": 1,
    "cluster": "alpha",
    "version": 1,
    "issued": "2026-01-01T00:00:00Z",
    "expires": "2036-01-01T00:00:00Z",
    "jails": {
        "partner": {
            "confine": "chroot",
            "root": PARTNER,
            "shared": True,
            "mounts": [{"bind": path} for path in BINDS]
            + [{"bind": "/lib32", "optional": True}]
            + [{"bind": "/home/%u"}, {"bind": "/home/spack"}],
        }
    },
    "rules": [
        {"groups": ["staff"], "jail": None},
        {"users": ["foo"], "jail": "partner"},
        {"groups": ["partners"], "jail": "partner"},
    ],
}


class Result:
    """What a command gave: rc, out, err; `text` is both, for messages."""

    def __init__(self, command, rc, out, err):
        self.command, self.rc, self.out, self.err = command, rc, out, err

    @property
    def text(self):
        return f"{self.command}\n-> {self.rc}\n{self.out}{self.err}"

    @property
    def lines(self):
        return self.out.split("\n")[:-1] if self.out.endswith("\n") else self.out.split("\n")


def run(*command, stdin=None, timeout=120, check=True, cwd=None, env=None):
    """Runs a command on this machine. check: fail the test unless it returns 0."""
    words = [str(word) for word in command]
    try:
        done = subprocess.run(words, input=stdin, capture_output=True, text=True, timeout=timeout, cwd=cwd, env=env, check=False,
                              errors="replace", **({} if stdin is not None else {"stdin": subprocess.DEVNULL}))
    except subprocess.TimeoutExpired as late:
        raise AssertionError(f"{shlex.join(words)}: no end after {timeout} s\n{late.stdout}\n{late.stderr}") from late
    result = Result(shlex.join(words), done.returncode, done.stdout, done.stderr)
    if check and result.rc != 0:
        raise AssertionError(result.text)
    return result


def testbed(*arguments, **options):
    return run(TESTBED, *arguments, **options)


def root(node, command, **options):
    """A shell command as root inside a node, past sshd and PAM."""
    return testbed("exec", node, "/bin/bash", "-c", command, **options)


def ssh(user, node, command, **options):
    """A real ssh session with a command. Not checked unless check=True is given."""
    options.setdefault("check", False)
    return testbed("ssh", f"{user}@{node}", command, **options)


def on_pty(*arguments, typed, timeout=60):
    """A testbed command on a pty of ours. Types a line whenever the screen has come to rest, as a person does, and returns all
    that the screen showed. The last line has to end the session."""
    pid, master = pty.fork()
    if pid == 0:
        os.execv(TESTBED, [str(TESTBED), *arguments])
    screen, lines = b"", typed.splitlines(keepends=True)
    end = time.monotonic() + timeout
    with contextlib.suppress(OSError):  # EIO when the other side hangs up
        while time.monotonic() < end:
            if select.select([master], [], [], 0.7)[0]:
                piece = os.read(master, 65536)
                if not piece:
                    break
                screen += piece
            elif lines and screen:
                os.write(master, lines.pop(0).encode())
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    os.close(master)
    os.waitpid(pid, 0)
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07", "", screen.decode(errors="replace"))  # what a terminal would not show
    return text.replace("\r", "")


def ssh_pty(user, node, typed, timeout=60):
    """An interactive login."""
    return on_pty("ssh", "-tt", f"{user}@{node}", typed=typed, timeout=timeout)


class Admin:
    """The administrator: keys, a policy in a file, and jail-policy. State lives in the testbed, so that every test file goes on
    where the one before left off."""

    def __init__(self):
        self.dir = pathlib.Path(testbed("dir").out.strip()) / "admin"
        self.dir.mkdir(mode=0o700, exist_ok=True)
        self.policy_file = self.dir / "policy.json"
        self.envelope = self.dir / "policy.envelope"
        self.trust = self.dir / "trust.json"
        self.pam_before = self.dir / "pam-before.json"

    def start(self):
        """First day: a key, a trust file, a signed policy."""
        if not (self.dir / "main.key").exists():
            run(POLICY_PROGRAM, "keygen", "--out", self.dir / "main")
            run(POLICY_PROGRAM, "trust", "init", "--cluster", "alpha", "--key", self.dir / "main.pub", "-o", self.trust)
            self.sign(copy.deepcopy(POLICY))

    @property
    def policy(self):
        return json.loads(self.policy_file.read_text())

    def sign(self, policy, key="main", out=None):
        """Writes policy.json and signs it."""
        target = self.policy_file if out is None else pathlib.Path(str(out) + ".json")
        target.write_text(json.dumps(policy, indent=1))
        envelope = self.envelope if out is None else pathlib.Path(out)
        envelope.unlink(missing_ok=True)
        run(POLICY_PROGRAM, "sign", target, "--key", self.dir / f"{key}.key", "-o", envelope)
        return envelope

    def publish(self, policy):
        """The main job: sign, and publish on the policy server with what is installed there."""
        self.sign(policy)
        testbed("copy", self.envelope, "ctl:/root/policy.envelope")
        root("ctl", "jail-policy publish /root/policy.envelope --to /srv/clusterjail --trust /etc/clusterjail/trust.json")

    def edit(self, change):
        """Applies change(policy) to the present policy with the next version, and publishes it."""
        policy = self.policy
        policy["version"] += 1
        change(policy)
        self.publish(policy)
        return policy

    def rollout(self, change):
        """edit, and a sync on every node; returns the policy."""
        policy = self.edit(change)
        for node in NODES:
            sync(node)
        return policy

    def reset(self):
        """Back to POLICY's jails and rules, whatever a test did, with the next version."""
        def change(policy):
            policy["jails"] = copy.deepcopy(POLICY["jails"])
            policy["rules"] = copy.deepcopy(POLICY["rules"])
        return self.rollout(change)

    def serve_raw(self, envelope):
        """Puts a file where the endpoint serves it without asking jail-policy: a lying or broken server."""
        testbed("copy", envelope, "ctl:/root/served")
        root("ctl", "cp /root/served /srv/clusterjail/v1/.new && chmod 644 /srv/clusterjail/v1/.new && mv /srv/clusterjail/v1/.new"
                    " /srv/clusterjail/v1/policy.json")


def sync(node, check=True, arguments="", **options):
    result = root(node, f"jail-agent --sync {arguments}", check=False, **options)
    if check and result.rc != 0:
        raise AssertionError(result.text)
    return result


def status(node):
    return json.loads(root(node, "jail-agent --status --json").out)


def end_sessions(user):
    """What an administrator does for a user who moves to another view: their processes, the user's systemd manager among them,
    would stay where they are (SECURITY.md). terminate-user alone leaves what outlived its session, an old tmux say."""
    for node in NODES:
        root(node, f"loginctl kill-user --signal=KILL {user}; loginctl terminate-user {user}; while systemctl is-active -q user@$(id -u {user}).service; do sleep 0.1; done", check=False)


def pam_files(node):
    """What is in /etc/pam.d, to the byte and the mode."""
    return root(node, "cd /etc/pam.d && stat -c '%n %a %u %g' * && sha256sum *").out


def home_listing(text):
    return sorted(text.split())


def ansible_command(*arguments, hosts=None):
    """The words and the environment of ansible-playbook site.yml on the testbed, from a folder laid out as the README says.
    hosts: the text of another inventory."""
    admin = Admin()
    inventory = admin.dir / "hosts.ini"
    inventory.write_text(hosts or testbed("inventory").out)
    variables = admin.dir / "group_vars"
    variables.mkdir(exist_ok=True)
    (variables / "all.yml").write_text(f'clusterjail_url: "{URL}"\nclusterjail_packages: "{BUILD}"\nclusterjail_pam_services: [{SERVICE}]\n')
    environment = dict(os.environ, ANSIBLE_CONFIG=str(TOP / "ansible" / "ansible.cfg"), ANSIBLE_NOCOLOR="1")
    return ("ansible-playbook", "-i", str(inventory), str(TOP / "ansible" / "site.yml")) + arguments, environment


def ansible(*arguments, hosts=None, timeout=600):
    command, environment = ansible_command(*arguments, hosts=hosts)
    return run(*command, timeout=timeout, env=environment, check=False)


def ansible_begin(*arguments, log):
    """The same, not waited for; what it says goes to the file log. It and what it starts are a process group of their own."""
    command, environment = ansible_command(*arguments)
    with open(log, "wb") as out:
        return subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, start_new_session=True)


class ClusterTest(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.admin = Admin()

    def assertSees(self, result, expected, message=""):
        """The listing of /home in result is exactly expected."""
        self.assertEqual(result.rc, 0, result.text)
        self.assertEqual(home_listing(result.out), sorted(expected), message + "\n" + result.text)

    def assertRefused(self, user, node):
        """An ssh login as user fails and runs nothing, neither on the host nor anywhere else."""
        result = ssh(user, node, "echo RAN; ls /home")
        self.assertNotEqual(result.rc, 0, result.text)
        self.assertNotIn("RAN", result.out, result.text)

    def assertOnHost(self, user, node):
        result = ssh(user, node, "echo RAN; ls /home")
        self.assertEqual(result.rc, 0, result.text)
        self.assertIn("alice", result.out, result.text)


def main():
    verdict.main()
