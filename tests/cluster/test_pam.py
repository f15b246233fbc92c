#!/usr/bin/env python3
"""The role pam on a node whose PAM is not as it comes: no success with a door open, and nothing that is not proven stays."""

import os
import signal
import time

import harness
from harness import TOP, ClusterTest, ansible, ansible_begin, root, ssh

NODE = "login1"
STACKS = ("/etc/pam.d/common-session", "/etc/pam.d/common-session-noninteractive")
SEEN = ["bar", "foo", "spack"]
LOOK = TOP / "ansible" / "roles" / "pam" / "files" / "last.awk"
GUARD = "session [success=1 default=ignore] pam_succeed_if.so quiet uid = 0\n"
JAIL = "session required pam_jail.so\n"
# Takes effect with the next pam-auth-update of any package, and lets nobody in.
DENY = "/usr/share/pam-configs/testbed-deny"


class Pam(ClusterTest):
    def tearDown(self):
        """Whatever failed: the next test begins with an unedited PAM that nobody is about to change."""
        root(NODE, f"rm -f {DENY}; [ ! -d /root/pam.d ] || {{ cp -a /root/pam.d/. /etc/pam.d/; cp -a /root/pam.lib/. /var/lib/pam/; rm -r /root/pam.d /root/pam.lib; }}")

    @classmethod
    def tearDownClass(cls):
        """Also where only some of these ran."""
        if not all(cls.has_line(stack) for stack in STACKS):
            ansible("--limit", NODE)

    @staticmethod
    def undeployed():
        """A node before the role, as far as PAM goes. What is there now is put back by tearDown."""
        root(NODE, "DEBIAN_FRONTEND=noninteractive pam-auth-update --package --remove clusterjail;"
                   "cp -a /etc/pam.d /root/pam.d; cp -a /var/lib/pam /root/pam.lib")

    @staticmethod
    def pam():
        return root(NODE, "cd / && find etc/pam.d var/lib/pam | sort | xargs stat -c '%n %a %u %g'; find etc/pam.d var/lib/pam -type f | sort | xargs sha256sum").out

    @staticmethod
    def has_line(path):
        return root(NODE, f"grep -qE '^[^#]*pam_jail\\.so' {path}", check=False).rc == 0

    def assertTakenBack(self, before, message):
        self.assertEqual(self.pam(), before, message)
        self.assertOnHost("root", NODE)

    def test_1_edited_by_hand(self):
        """pam-auth-update leaves such a stack alone and calls that success."""
        self.undeployed()
        root(NODE, f"sed -i '/the \"Additional\" block/a session optional pam_umask.so' {STACKS[0]}")
        before = self.pam()
        result = ansible("--limit", f"{NODE},c1")
        self.assertNotEqual(result.rc, 0, result.text)
        said = " ".join(result.out.replace('\\"', '"').split())
        for words in (f'{STACKS[0]}: no line "session required pam_jail.so"', "edited by hand", "pam-auth-update --force", "taken back",
                      f"{NODE} failed above and SLURM was not set up there"):
            self.assertIn(words, said, result.text)
        self.assertNotIn("TASK [pam : A new login works]", result.out, "the login of somebody who is not confined proves nothing")
        self.assertRegex(result.out, r"c1 +: .*changed=0 .*failed=0", "nobody else is in its way")
        self.assertTakenBack(before, result.text)

    def deny_with_the_change(self):
        """Nobody but this administrator's open connection gets in any more once pam-auth-update has run. Returns PAM as it is."""
        self.undeployed()
        before = self.pam()
        root(NODE, f"printf 'Name: Deny\\nDefault: yes\\nPriority: 0\\nSession-Type: Additional\\nSession:\\n\\trequired pam_deny.so\\n' > {DENY}")
        return before

    def test_2_login_that_fails_after_the_change(self):
        before = self.deny_with_the_change()
        result = ansible("--limit", NODE, "-e", "clusterjail_revert_seconds=10")
        self.assertNotEqual(result.rc, 0, result.text)
        said = " ".join(result.out.split())
        for words in ("TASK [pam : A new login works]", f"No new login as root worked on {NODE} in time", "taken back"):
            self.assertIn(words, said, result.text)
        self.assertTakenBack(before, result.text)
        self.assertEqual(root(NODE, "ls -d /run/clusterjail-pam-revert", check=False).out, "", "nothing is pending")

    def test_3_nobody_left_to_take_it_back(self):
        """Killed between the change and its proof: the node is alone with it."""
        before = self.deny_with_the_change()
        log = self.admin.dir / "killed.log"
        process = ansible_begin("--limit", NODE, "-e", "clusterjail_revert_seconds=15", log=log)
        try:
            self.until(lambda: self.has_line(STACKS[0]) and root(NODE, "test -e /run/clusterjail-pam-revert/run", check=False).rc == 0, log)
            self.assertIsNone(process.poll(), log.read_text())
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self.assertNotIn("Take the change back", log.read_text())
        self.until(lambda: root(NODE, "systemctl is-active clusterjail-pam-revert.timer clusterjail-pam-revert.service", check=False).out
                   == "inactive\ninactive\n", log)
        self.assertTakenBack(before, log.read_text())

    def until(self, condition, log):
        end = time.monotonic() + 120
        while not condition():
            self.assertLess(time.monotonic(), end, log.read_text())
            time.sleep(0.1)

    def test_9_commented_line(self):
        """Last, since it leaves the node as it was deployed."""
        self.undeployed()
        root(NODE, f"sed -i '1i # session required pam_jail.so' {' '.join(STACKS)}")
        result = ansible("--limit", NODE)
        self.assertEqual(result.rc, 0, result.text)
        for stack in STACKS:
            self.assertTrue(self.has_line(stack), stack)
        self.assertSees(ssh("foo", NODE, "ls /home"), SEEN)
        self.assertOnHost("alice", NODE)
        root(NODE, f"sed -i '/^# session required pam_jail/d' {' '.join(STACKS)}; rm -r /root/pam.d /root/pam.lib")


class Lines(ClusterTest):
    """What the role says of a file; "" is good."""

    def look(self, text):
        path = self.admin.dir / "stack"
        path.write_text(text)
        return harness.run("awk", "-f", LOOK, path).out.replace(f"{path}: ", "")

    def test_good(self):
        for text in (GUARD + JAIL, f"session optional pam_umask.so\n{GUARD}{JAIL}# session optional pam_umask.so\naccount required pam_unix.so\n",
                     GUARD.replace(" ", "\t") + "session \\\n  requisite /lib/security/pam_jail.so breakglass=wheel # last\n"):
            self.assertEqual(self.look(text), "", text)

    def test_not_there(self):
        for text in ("", "# " + JAIL, f"session optional pam_umask.so # {JAIL}", GUARD, "account required pam_jail.so\n"):
            self.assertEqual(self.look(text), 'no line "session required pam_jail.so"\n', text)

    def test_not_last(self):
        for behind in ("session optional pam_umask.so", "-session optional pam_systemd.so", "@include more"):
            self.assertEqual(self.look(GUARD + JAIL + behind), f'line 3, "{behind}", stands behind pam_jail.so\n')

    def test_other_control(self):
        for line in ("session optional pam_jail.so", "-session required pam_jail.so", "session [default=ignore] pam_jail.so"):
            self.assertEqual(self.look(GUARD + line), f'line 2 is "{line}" instead of "session required pam_jail.so"\n')

    def test_root_is_kept_out(self):
        for text in (JAIL, f"{GUARD}session optional pam_umask.so\n{JAIL}", GUARD.replace("= 0", "= 1") + JAIL):
            self.assertRegex(self.look(text), r"^right before line \d there is no \"session .* uid = 0\"", text)


if __name__ == "__main__":
    harness.main()
