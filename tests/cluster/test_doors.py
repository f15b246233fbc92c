#!/usr/bin/env python3
"""The doors that are neither sshd nor SLURM: at, cron, the user's systemd manager, the console, sudo. Each in foo's view, and for alice as
before, on a login node and a compute node."""


import harness
from harness import PARTNER, ClusterTest, on_pty, root, ssh

DOORS_OF = ("login1", "c1")
# Who came through, what they see, and whether they reach a file by name; put in place whole, so that nobody reads half of it.
LOOK = """#!/bin/sh
out=$1
{ id -un; ls /home; cat /home/carol/secret.txt 2>/dev/null; } > $out.new
mv $out.new $out
"""


class Doors(ClusterTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        listing = root("login1", "ls /home").lines
        cls.seen = {"foo": ["foo", "bar", "foo", "spack"], "alice": ["alice"] + listing + ["secret of carol"]}
        # A manager from before the deployment would be outside (SECURITY.md), and is not what is looked at here.
        harness.end_sessions("foo")
        for user in cls.seen:
            ssh(user, "login1", f"cat > ~/look.sh <<'E'\n{LOOK}E\nchmod 755 ~/look.sh", check=True)
            for node in DOORS_OF:
                # cron looks once a minute: what it waits for goes on while the other doors are tried.
                ssh(user, node, f"echo '* * * * * {cls.look(user, node, 'cron')}' | crontab -", check=True)

    @classmethod
    def tearDownClass(cls):
        for user in cls.seen:
            for node in DOORS_OF:
                ssh(user, node, "crontab -r")
            root("login1", f"rm -f /home/{user}/look.sh /home/{user}/look-*")

    @staticmethod
    def result(user, node, door):
        return f"/home/{user}/look-{door}-{node}.out"

    @classmethod
    def look(cls, user, node, door):
        return f"/home/{user}/look.sh {cls.result(user, node, door)}"

    def each(self):
        return [(node, user, seen) for node in DOORS_OF for user, seen in self.seen.items()]

    def assertLooked(self, user, node, door, seconds=60):
        """What came through the door has looked, or does so in time, and saw what the policy says."""
        path = self.result(user, node, door)
        found = root(node, f"for ((i = 0; i < {seconds * 5}; i++)); do [ -e {path} ] && break; sleep 0.2; done; cat {path}",
                     check=False, timeout=seconds + 60)
        self.assertEqual(found.rc, 0, f"{door} on {node} as {user}: {found.text}")
        self.assertEqual(found.lines, self.seen[user], f"{door} on {node}")

    def assertOpened(self, user, node, service):
        """That PAM's session of this service was the way."""
        self.assertIn(f"pam_unix({service}:session): session opened for user {user}", root(node, "journalctl --sync; journalctl -q -b").out)

    def test_1_at(self):
        for node, user, _ in self.each():
            ssh(user, node, f"echo '{self.look(user, node, 'at')}' | at now", check=True)
            self.assertLooked(user, node, "at")
            self.assertOpened(user, node, "atd")

    def test_2_systemd_run(self):
        for node, user, _ in self.each():
            ssh(user, node, f"systemd-run --user --quiet {self.look(user, node, 'run')}", check=True)
            self.assertLooked(user, node, "run")
            self.assertOpened(user, node, "systemd-user")

    def test_3_service_of_the_users_manager(self):
        for node, user, _ in self.each():
            unit = f"[Service]\\nType=oneshot\\nExecStart={self.look(user, node, 'unit')}\\n"
            ssh(user, node, f'd=$XDG_RUNTIME_DIR/systemd/user; mkdir -p $d; printf "{unit}" > $d/look.service; systemctl --user daemon-reload;'
                            "systemctl --user start look.service; rm $d/look.service", check=True)
            self.assertLooked(user, node, "unit")

    def test_4_the_manager_itself(self):
        """Its /proc/PID/root is a door of its own."""
        for node in DOORS_OF:
            view = root(node, f"stat -c %d:%i {PARTNER}").out
            seen = ssh("foo", node, "pid=$(pgrep -u foo -x systemd) && stat -Lc %d:%i /proc/$pid/root && ls /proc/$pid/root/home")
            self.assertEqual(seen.lines, view.split() + self.seen["foo"][1:], seen.text)

    def test_5_sudo(self):
        show = "bash -c 'id -un; ls /home; cat /home/carol/secret.txt 2>/dev/null; true'"
        for node, user, seen in self.each():
            for option in ("-u", "-iu"):
                self.assertEqual(root(node, f"sudo {option} {user} {show}").lines, seen, f"{node}: sudo {option} by root")
                self.assertEqual(ssh("admin", node, f"sudo {option} {user} {show}", check=True).lines, seen, f"{node}: sudo {option} by admin")

    def test_6_console(self):
        for node, user, seen in self.each():
            # script gives login a terminal of the node's own, as a getty would.
            screen = on_pty("exec", node, "script", "-qec", f"login -f {user}", "/dev/null",
                            typed="tty; echo [$(id -un; ls /home; cat /home/carol/secret.txt 2>/dev/null)]; exit\n")
            self.assertIn(f"[{' '.join(seen)}]", screen)
            self.assertRegex(screen, r"(?m)^/dev/pts/\d+\s*$", screen)
            self.assertOpened(user, node, "login")

    def test_7_cron(self):
        for node, user, _ in self.each():
            self.assertLooked(user, node, "cron", seconds=150)
            self.assertOpened(user, node, "cron")


if __name__ == "__main__":
    harness.main()
