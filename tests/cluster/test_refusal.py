#!/usr/bin/env python3
"""What a session gets when something is broken: the view or no session; root and break-glass always a login."""

import re

import harness
from harness import CACHE, NODES, PARTNER, ClusterTest, end_sessions, root, ssh, ssh_pty, status, sync

SEEN = ["bar", "foo", "spack"]
EXTRA = "/var/lib/extrausers"


def node_state(node):
    return root("ctl", f"sinfo -h -n {node} -N -o %T").out.lower()


def journal_now(node):
    """A place in the journal, for journal_since."""
    return re.search(r"cursor: (\S+)", root(node, "journalctl -q -n 1 --show-cursor").out)[1]


def journal_since(node, place):
    return root(node, f"journalctl --sync 2>/dev/null; journalctl -q --after-cursor '{place}'", check=False).out


class Refusal(ClusterTest):
    def setUp(self):
        # The timer must not repair what a test breaks while it looks.
        for node in NODES:
            root(node, "systemctl stop clusterjail.timer")

    def tearDown(self):
        for node in NODES:
            sync(node)
            self.assertSees(ssh("foo", node, "ls /home"), SEEN, node)
            self.assertOnHost("alice", node)
            root(node, "systemctl start clusterjail.timer")

    def assertRootAndBreakGlass(self, node):
        for user in ("root", "admin"):
            self.assertOnHost(user, node)

    def assertEverybodyElseRefused(self, node, why):
        for user in ("foo", "bar", "alice", "carol"):
            with self.subTest(node=node, user=user, why=why):
                self.assertRefused(user, node)
        self.assertRootAndBreakGlass(node)

    def break_cache(self, command, why):
        for node in ("login1", "c1"):
            root(node, f"cp -a {CACHE} /root/cache.saved; {command}")
            try:
                self.assertEverybodyElseRefused(node, why)
                log = root(node, "journalctl -q --since -60s | grep pam_jail | tail -n 1", check=False).out
                self.assertIn("policy.cache", log, why)
            finally:
                root(node, f"rm -f {CACHE}; cp -a /root/cache.saved {CACHE}; chown 0:0 {CACHE}")

    def test_cache_deleted(self):
        self.break_cache(f"rm {CACHE}", "deleted")

    def test_cache_truncated(self):
        self.break_cache(f"truncate -s 100 {CACHE}", "truncated")

    def test_cache_empty(self):
        self.break_cache(f": > {CACHE}", "empty")

    def test_cache_of_a_foreign_owner(self):
        self.break_cache(f"chown foo {CACHE}", "owner")

    def test_cache_writable_by_others(self):
        self.break_cache(f"chmod 666 {CACHE}", "mode")

    def test_cache_is_a_fifo(self):
        self.break_cache(f"rm {CACHE}; mkfifo {CACHE}", "fifo")

    def test_job_refused_without_cache(self):
        root("c1", f"mv {CACHE} /root/cache.saved")
        try:
            for user in ("foo", "alice"):
                result = ssh(user, "login1", "srun -w c1 -t 1 ls /home", timeout=90)
                # srun of SLURM 22.05 returns 0 when the launch failed; that nothing ran is what counts.
                self.assertEqual(result.out, "", result.text)
                self.assertIn("error", result.err, result.text)
        finally:
            root("c1", f"mv /root/cache.saved {CACHE}")
            root("ctl", "scontrol update nodename=c1 state=resume", check=False)
            harness.testbed("wait")

    def test_module_missing(self):
        for node in ("login1", "c1"):
            path = root(node, "find /usr/lib /lib -name pam_jail.so -type f | head -n 1").out.strip()
            root(node, f"mv {path} /root/pam_jail.saved")
            try:
                self.assertOnHost("root", node)
                for user in ("foo", "alice"):
                    self.assertRefused(user, node)
            finally:
                root(node, f"mv /root/pam_jail.saved {path}")

    def test_tree_unmounted(self):
        for node in ("login1", "c1"):
            root(node, f"for target in {PARTNER}/* {PARTNER}/.clusterjail {PARTNER}/home/*; do umount -l $target; done 2>/dev/null;"
                       f"! grep ' {PARTNER}/' /proc/self/mountinfo")
            self.assertRefused("foo", node)
            self.assertRefused("bar", node)
            self.assertOnHost("alice", node)
            self.assertRootAndBreakGlass(node)
        self.assertNotIn("alice", ssh("foo", "login1", "ls /home").out)

    def test_tree_unmounted_under_slurm(self):
        """A step and a batch job without their tree: nothing of them runs, neither on the host nor in an empty root."""
        unmount = (f"for target in {PARTNER}/* {PARTNER}/.clusterjail {PARTNER}/home/*; do umount -l $target; done 2>/dev/null;"
                   f"! grep ' {PARTNER}/' /proc/self/mountinfo")
        # A systemd --user that still runs in the view could not even end without its tree, and foo's next logins would wait for that.
        end_sessions("foo")
        root("c1", unmount)
        try:
            since = journal_now("c1")
            result = ssh("foo", "login1", "srun -w c1 -t 1 bash -c 'echo RAN; ls /home'", timeout=90)
            self.assertEqual(result.out, "", result.text)
            self.assertIn("error", result.err, result.text)
            self.assertRegex(journal_since("c1", since), r"pam_jail\(slurm:session\): session of foo refused: ")
            self.assertNotIn("drain", node_state("c1"), "a user's step must not drain the node")
            ssh("foo", "login1", "rm -f ~/refused.out; timeout 40 sbatch --wait -w c1 -t 1 -o /home/foo/refused.out --wrap 'echo RAN; ls /home'", timeout=90)
            written = root("login1", "cat /home/foo/refused.out", check=False).out
            self.assertNotIn("RAN", written)
            self.assertNotIn("alice", written)
            # An unconfined user's jobs run there as before, once the node is there: SLURM drains it for a batch job that could not begin.
            root("ctl", "scancel -u foo; scontrol update nodename=c1 state=resume", check=False)
            self.assertIn("alice", ssh("alice", "login1", "srun -w c1 -t 1 ls /home", timeout=90).out)
        finally:
            root("ctl", "scancel -u foo; scontrol update nodename=c1 state=resume", check=False)
            root("login1", "rm -f /home/foo/refused.out")
            sync("c1")
        harness.testbed("wait")
        self.assertSees(ssh("foo", "login1", "srun -w c1 -t 1 ls /home", timeout=90), SEEN, "repaired by the sync alone")

    def test_one_mount_missing(self):
        for target in ("/usr", "/home/foo", "/.clusterjail"):
            root("login1", f"umount -l {PARTNER}{target}")
            self.assertRefused("foo", "login1")
            sync("login1")
            self.assertSees(ssh("foo", "login1", "ls /home"), SEEN, target)

    def test_root_of_the_tree_writable(self):
        for change, back in ((f"chmod 777 {PARTNER}", f"chmod 755 {PARTNER}"), (f"chown foo {PARTNER}", f"chown root {PARTNER}"),
                             ("chmod 777 /var/lib/clusterjail", "chmod 755 /var/lib/clusterjail")):
            root("login1", change)
            try:
                self.assertRefused("foo", "login1")
            finally:
                root("login1", back)

    def assertOtherNameRefused(self, node, name):
        """A login as name, which is on foo's uid: whoever has foo's key is known to sshd, and no session begins, because of pam_jail and
        of nothing before it."""
        key = harness.testbed("key", "foo").out.strip()
        doors = {"ssh": lambda: harness.testbed("ssh", "-i", key, f"{name}@{node}", "echo RAN; ls /home", check=False),
                 "su": lambda: root(node, f"su - {name} -c 'echo RAN; ls /home'", check=False)}
        for door, enter in doors.items():
            with self.subTest(door=door, name=name):
                since = journal_now(node)
                result = enter()
                self.assertNotEqual(result.rc, 0, result.text)
                self.assertNotIn("RAN", result.out, result.text)
                self.assertNotIn("alice", result.out, result.text)
                log = journal_since(node, since)
                self.assertRegex(log, rf"pam_jail\({door}\S*:session\): session of an unknown user refused: "
                                      rf"the user {name} has the uid \d+ of foo", log)
                if door == "ssh":
                    self.assertIn(f"Accepted publickey for {name} ", log, "authentication was not what refused")

    def test_name_in_capitals(self):
        """With an NSS that ignores case (extrausers stands in: a second entry), FOO is never on the host."""
        root("login1", "sed -i 's/^passwd:.*/passwd: files extrausers/' /etc/nsswitch.conf;"
                       # '*': an account that pam_unix takes for good. 'x' would want a line in shadow.
                       f"echo 'FOO:*:'$(id -u foo):$(id -g foo)'::/home/foo:/bin/bash' > {EXTRA}/passwd; chmod 644 {EXTRA}/passwd")
        try:
            self.assertOtherNameRefused("login1", "FOO")
        finally:
            root("login1", f"rm {EXTRA}/passwd; sed -i 's/^passwd:.*/passwd: files/' /etc/nsswitch.conf")

    def test_second_name_on_the_uid(self):
        for node in ("login1", "c1"):
            root(node, "echo 'foo2:*:'$(id -u foo):$(id -g foo)'::/home/foo:/bin/bash' >> /etc/passwd")
            try:
                self.assertOtherNameRefused(node, "foo2")
            finally:
                root(node, "sed -i /^foo2:/d /etc/passwd")

    def test_groups_service_stops_half_way(self):
        """visitor1 is confined through a group that only the second NSS service knows; then that service is gone."""
        for node in NODES:
            root(node, "sed -i 's/^group:.*/group: files extrausers/' /etc/nsswitch.conf;"
                       f"printf 'ext-lab:x:4711:visitor1\\n' > {EXTRA}/group; chmod 644 {EXTRA}/group")
        try:
            self.admin.rollout(lambda p: p["rules"].append({"groups": ["ext-*"], "jail": "lab"}) or p["jails"].update(
                {"lab": {"confine": "chroot", "root": harness.ROOTS + "/lab", "mounts": [
                    {"bind": path} for path in harness.BINDS] + [{"bind": "/home/spack"}]}}))
            for node in NODES:
                self.assertSees(ssh("visitor1", node, "ls /home"), ["spack"], node)
            for node in NODES:
                root(node, f"mv {EXTRA}/group {EXTRA}/group.gone")
            for node in NODES:
                self.assertSees(ssh("visitor1", node, "ls /home"), ["spack"], f"{node}: service gone")
                sync(node, check=False)
                self.assertSees(ssh("visitor1", node, "ls /home"), ["spack"], f"{node}: and after a sync")
            self.assertIn("spack\n", ssh("visitor1", "login1", "srun -w c1 ls /home").out)
            # Back again, without visitor1: a service that tells but half of it looks just so, and they are not let go yet.
            for node in NODES:
                root(node, f"rm {EXTRA}/group.gone; printf 'ext-lab:x:4711:\\n' > {EXTRA}/group")
                sync(node)
                self.assertSees(ssh("visitor1", node, "ls /home"), ["spack"], f"{node}: back, without them")
                self.assertIn("visitor1", "\n".join(status(node)["warnings"]), node)
            # The policy can say that it is meant.
            end_sessions("visitor1")
            self.admin.rollout(lambda p: p["rules"].insert(0, {"users": ["visitor1"], "jail": None}))
            for node in NODES:
                self.assertOnHost("visitor1", node)
        finally:
            for node in NODES:
                root(node, f"rm -f {EXTRA}/group {EXTRA}/group.gone; sed -i 's/^group:.*/group: files/' /etc/nsswitch.conf")
            end_sessions("visitor1")
            self.admin.reset()

    def test_break_glass_needs_no_nss(self):
        """The group service is one that does not exist, so NSS knows no group at all. admin, whom the local /etc/group names, gets in
        and is on the host; whom only groups confine stays confined as last known."""
        for node in NODES:
            root(node, "cp -p /etc/nsswitch.conf /root/nsswitch.kept;"
                       "sed -i 's/^group:.*/group: nosuch/; s/^passwd:.*/passwd: nosuch files/; /^initgroups:/d' /etc/nsswitch.conf")
            try:
                self.assertNotEqual(root(node, "getent group sudo", check=False).rc, 0, f"{node}: NSS still knows groups")
                self.assertEqual(ssh("admin", node, "id -Gn").rc, 1, f"{node}: the session has no names for its groups")
                screen = ssh_pty("admin", node, "echo [$(ls /home | wc -w)]; exit\n")
                self.assertIn("[8]", screen, node)
                self.assertOnHost("admin", node)
                self.assertOnHost("root", node)
                self.assertSees(ssh("foo", node, "ls /home"), SEEN, node)
                self.assertSees(ssh("bar", node, "ls /home"), SEEN, f"{node}: by the group partners, as last resolved")
                # Without a usable cache as well: it is the way to repair that.
                root(node, f"mv {CACHE} /root/cache.saved")
                try:
                    self.assertOnHost("admin", node)
                    self.assertRefused("alice", node)
                finally:
                    root(node, f"mv /root/cache.saved {CACHE}")
            finally:
                root(node, "mv /root/nsswitch.kept /etc/nsswitch.conf")

    def test_break_glass_is_what_lets_admin_in(self):
        """The same without admin in the local group: refused, so it is the membership that counts and nothing else."""
        root("login1", f"cp -p /etc/group /root/group.kept; sed -i '/^sudo:/s/admin//' /etc/group; mv {CACHE} /root/cache.saved")
        try:
            self.assertRefused("admin", "login1")
        finally:
            root("login1", f"mv /root/group.kept /etc/group; mv /root/cache.saved {CACHE}")
        self.assertOnHost("admin", "login1")


if __name__ == "__main__":
    harness.main()
