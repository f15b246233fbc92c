"""What installing, upgrading, removing and purging does to a machine."""

import os
import subprocess

from sandbox import NAMES, Sandbox, mount
import verdict

CONFIG = "[policy]\nurl = http://127.0.0.1:1/v1/policy.json\n[safety]\nhost_namespace = any\n"
STACKS = ("common-session", "common-session-noninteractive")


class Install(Sandbox):
    def stacks(self):
        return {name: self.read(f"/etc/pam.d/{name}") for name in STACKS}

    def test_nothing_is_enabled_by_itself(self):
        before = self.stacks()
        self.install(*NAMES)
        self.assertEqual(self.stacks(), before)
        enabled = [os.path.join(path, file) for path, _, files in os.walk(self.path("/etc/systemd/system"))
                   for file in files if file.startswith(("clusterjail", "jail-"))]
        self.assertEqual(enabled, [])
        for user in ("clusterjail", "clusterjail-policyd"):
            entry = [line for line in self.read("/etc/passwd").splitlines() if line.startswith(f"{user}:")]
            self.assertEqual(len(entry), 1)
            self.assertTrue(entry[0].endswith(":/usr/sbin/nologin"), entry)

    def test_programs_run_and_shared_objects_are_found(self):
        self.install(*NAMES)
        for program in ("jail-agent", "jail-policy", "jail-policyd"):
            self.assertTrue(self.chroot(program, "--version").stdout.startswith(f"{program} "))
            self.assertIn(f"usage: {program}", self.chroot(program, "--help").stdout)
        # Where the stacks look for it on this release: found by the name alone, as PAM does.
        triplet = self.chroot("dpkg-architecture", "-qDEB_HOST_MULTIARCH").stdout.strip()
        self.assertTrue(self.path(f"/lib/{triplet}/security/pam_jail.so").exists())

    def test_manual_pages_say_nothing_wrong(self):
        self.install(*NAMES)
        for page in ("jail-policy.1", "agent.conf.5", "jail-agent.8", "jail-policyd.8", "pam_jail.8"):
            source = self.path(f"/usr/share/man/man{page[-1]}/{page}.gz")
            text = subprocess.run(["zcat", source], capture_output=True, check=True).stdout
            done = subprocess.run(["groff", "-mandoc", "-Tutf8", "-ww", "-z"], input=text, capture_output=True, check=False)
            self.assertEqual((done.returncode, done.stderr), (0, b""), page)

    def test_removal_of_what_never_worked(self):
        before = self.stacks()
        self.install(*NAMES)
        self.chroot("dpkg", "--purge", *(f"clusterjail-{name}" for name in NAMES))
        self.assertEqual(self.stacks(), before)
        self.assertFalse(self.path("/usr/sbin/jail-agent").exists())

    def test_pam_lines_go_before_the_module(self):
        before = self.stacks()
        self.install("agent", "pam")
        self.chroot("pam-auth-update", "--package", "--enable", "clusterjail")
        self.assertNotEqual(self.stacks(), before)
        self.chroot("dpkg", "-r", "clusterjail-pam")
        self.assertEqual(self.stacks(), before)

    def test_the_module_stays_while_a_service_names_it(self):
        self.install("agent", "pam")
        self.write("/etc/pam.d/slurm", "session required pam_jail.so\n")
        self.refused("/etc/pam.d/slurm", "dpkg", "-r", "clusterjail-pam")
        self.assertTrue(list(self.path("/usr/lib").glob("*/security/pam_jail.so")))
        self.write("/etc/pam.d/slurm", "# session required pam_jail.so\n")
        self.write("/etc/pam.d/common-session.pam-old", "session required pam_jail.so\n")
        self.chroot("dpkg", "-r", "clusterjail-pam")

    def test_the_agent_stays_while_pam_asks_it(self):
        self.install("agent", "pam")
        self.chroot("pam-auth-update", "--package", "--enable", "clusterjail")
        self.refused("dependency problems", "dpkg", "-r", "clusterjail-agent")
        self.refused("common-session", "dpkg", "--force-depends", "-r", "clusterjail-agent")
        self.assertTrue(self.path("/usr/sbin/jail-agent").exists())

    def test_the_agent_stays_when_it_does_not_know_what_it_made(self):
        self.install("agent")
        self.write("/etc/clusterjail/agent.conf", CONFIG)
        self.write("/var/lib/clusterjail/made", "damaged\n")
        self.refused("the package stays", "dpkg", "-r", "clusterjail-agent")
        self.assertEqual(self.status("agent"), "installed")

    def test_the_agent_stays_when_teardown_fails(self):
        self.install("agent")
        self.write("/etc/clusterjail/agent.conf", "[policy]\nno such key = 1\n")
        self.refused("the package stays", "dpkg", "-r", "clusterjail-agent")
        self.assertTrue(self.path("/usr/sbin/jail-agent").exists())
        self.write("/etc/clusterjail/agent.conf", CONFIG)
        self.chroot("dpkg", "-r", "clusterjail-agent")
        self.assertFalse(self.path("/usr/sbin/jail-agent").exists())

    def test_upgrade_leaves_all_as_it_is(self):
        self.install("agent", "pam")
        self.chroot("pam-auth-update", "--package", "--enable", "clusterjail")
        enabled = self.stacks()
        # Were the agent asked to tear down, this configuration would make it fail.
        self.write("/etc/clusterjail/agent.conf", "[policy]\nno such key = 1\n")
        self.write("/var/lib/clusterjail/policy.cache", "kept")
        self.install("agent", "pam")
        self.assertEqual(self.stacks(), enabled)
        self.assertEqual(self.read("/var/lib/clusterjail/policy.cache"), "kept")

    def test_purge_takes_only_its_own_files(self):
        self.install("agent")
        self.chroot("dpkg", "-r", "clusterjail-agent")
        for name in ("policy.envelope", "policy.cache", "accepted.json", "made"):
            self.write(f"/var/lib/clusterjail/{name}", "as --teardown keeps it", 0o600)
        self.write("/var/lib/clusterjail/notes", "an administrator's")
        done = self.chroot("dpkg", "--purge", "clusterjail-agent")
        self.assertIn("/var/lib/clusterjail stays", done.stderr)
        self.assertEqual(os.listdir(self.path("/var/lib/clusterjail")), ["notes"])

    def test_what_users_kept_is_theirs(self):
        self.install("agent")
        self.write("/etc/clusterjail/agent.conf", CONFIG)
        for directory in ("private/1001/tmp", "private/1001/dev-shm", "private/1002/tmp", "roots"):
            self.path(f"/var/lib/clusterjail/{directory}").mkdir(parents=True)
        self.path("/run/clusterjail/marker/guest/1001").mkdir(parents=True)
        for mode, directory in ((0o755, "/run/clusterjail"), (0o755, "/var/lib/clusterjail")):
            self.path(directory).chmod(mode)
        self.write("/var/lib/clusterjail/private/1001/tmp/results", "ten years")
        done = self.chroot("dpkg", "-r", "clusterjail-agent")
        self.assertIn("stays in /var/lib/clusterjail/private", done.stdout + done.stderr)
        self.assertFalse(self.path("/run/clusterjail/marker").exists())
        self.assertTrue(self.path("/var/lib/clusterjail/private/1002/tmp").exists(), "open sessions may have it mounted")
        done = self.chroot("dpkg", "--purge", "clusterjail-agent")
        self.assertIn("stays in /var/lib/clusterjail/private", done.stderr)
        self.assertEqual(self.read("/var/lib/clusterjail/private/1001/tmp/results"), "ten years")
        self.assertEqual(os.listdir(self.path("/var/lib/clusterjail/private")), ["1001"])
        self.assertFalse(self.path("/run/clusterjail").exists())

    def test_empty_private_directories_go_with_a_purge(self):
        self.install("agent")
        self.write("/etc/clusterjail/agent.conf", CONFIG)
        self.path("/var/lib/clusterjail/private/1001/tmp").mkdir(parents=True)
        self.chroot("dpkg", "--purge", "clusterjail-agent")
        self.assertFalse(self.path("/var/lib/clusterjail").exists())

    def test_a_home_below_survives_purge(self):
        self.install("agent")
        self.write("/home/foo-of-the-test/thesis", "ten years")
        target = self.path("/var/lib/clusterjail/roots/partner/home/foo")
        target.mkdir(parents=True)
        self.chroot("dpkg", "--remove", "--force-all", "clusterjail-agent", check=False)
        # As after an agent that was killed, or a bind that somebody made by hand.
        mount("--bind", self.path("/home/foo-of-the-test"), target)
        self.chroot("dpkg", "--purge", "--force-all", "clusterjail-agent", check=False)
        self.assertEqual((target / "thesis").read_text(), "ten years")
        self.assertEqual(self.read("/home/foo-of-the-test/thesis"), "ten years")

    def test_purge_of_all_leaves_nothing(self):
        self.install("agent")
        self.write("/etc/clusterjail/agent.conf", CONFIG)
        self.chroot("dpkg", "--purge", "clusterjail-agent")
        self.assertEqual(self.status("agent"), "")
        self.assertFalse(self.path("/var/lib/clusterjail").exists())


if __name__ == "__main__":
    verdict.main()
