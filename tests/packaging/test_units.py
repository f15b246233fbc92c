"""systemd reads the units without a complaint, and they can never keep sshd from starting."""

from sandbox import NAMES, Sandbox
import verdict

UNITS = "/usr/lib/systemd/system"
# All that the agent's units set. An option that is not here may give a unit a mount namespace of its own, or a file system
# that is not the host's (systemd.exec(5) has dozens, and gets more): look it up before you add it.
AGENT_KEYS = {
    "clusterjail-boot.service": {"Description", "Documentation", "DefaultDependencies", "Wants", "After", "Before", "Conflicts",
                                 "Type", "RemainAfterExit", "ExecStart", "TimeoutStartSec", "TimeoutStopSec", "WantedBy"},
    "clusterjail.service": {"StartLimitIntervalSec", "Description", "Documentation", "Wants", "After", "Type", "ExecStart", "SuccessExitStatus",
                            "TimeoutStartSec", "TimeoutStopSec"},
}


class Units(Sandbox):
    def setUp(self):
        super().setUp()
        self.install(*NAMES)

    def settings(self, unit):
        found = {}
        for line in self.read(f"{UNITS}/{unit}").splitlines():
            if "=" in line and not line.startswith("#"):
                key, _, value = line.partition("=")
                found.setdefault(key, []).extend(value.split())
        return found

    def verify(self, *units):
        done = self.chroot("systemd-analyze", "verify", "--man=no", *(f"{UNITS}/{unit}" for unit in units), check=False)
        ours = [line for line in (done.stdout + done.stderr).splitlines() if "jail" in line or "cycle" in line]
        return done.returncode, ours

    def test_no_complaint(self):
        self.assertEqual(self.verify("clusterjail-boot.service", "clusterjail.service", "clusterjail.timer",
                                     "run-clusterjail-private.mount", "jail-policyd.service")[1], [])

    def wanted_units(self):
        """sshd by its socket, as a cluster's login node may have it, and all that has to wait."""
        self.write(f"{UNITS}/ssh.socket", "[Unit]\nBefore=sockets.target\n[Socket]\nListenStream=22\nAccept=yes\n")
        self.write(f"{UNITS}/ssh@.service", "[Service]\nExecStart=/bin/true\n")
        for name in ("ssh", "cron", "atd", "slurmd"):
            self.write(f"{UNITS}/{name}.service", "[Service]\nExecStart=/bin/true\n")
        self.write(f"{UNITS}/all.target", "[Unit]\nWants=clusterjail-boot.service ssh.socket sockets.target basic.target ssh.service "
                   "cron.service atd.service slurmd.service systemd-user-sessions.service systemd-logind.service\n"
                   "After=basic.target\n")

    def test_no_ordering_cycle(self):
        self.wanted_units()
        self.assertEqual(self.verify("all.target")[1], [])

    def test_a_cycle_would_be_seen(self):
        self.wanted_units()
        path = self.path(f"{UNITS}/clusterjail-boot.service")
        path.write_text(path.read_text().replace("DefaultDependencies=no\n", ""))
        self.assertTrue(any("cycle" in line for line in self.verify("all.target")[1]))

    def test_boot_unit(self):
        boot = self.settings("clusterjail-boot.service")
        for unit in ("ssh.service", "ssh.socket", "sshd.service", "systemd-user-sessions.service", "cron.service", "atd.service",
                     "slurmd.service"):
            self.assertIn(unit, boot["Before"])
        self.assertFalse(set(boot) & {"RequiredBy", "Requires", "Requisite", "BindsTo", "OnFailure"})
        self.assertEqual(boot["WantedBy"], ["multi-user.target"])
        self.assertNotIn("network", " ".join(boot["After"] + boot.get("Wants", [])))
        # What sshd waits at most, when the agent hangs and even ignores SIGTERM and SIGKILL.
        self.assertLessEqual(int(boot["TimeoutStartSec"][0]) + 2 * int(boot["TimeoutStopSec"][0]), 90)

    def test_memory_is_there_before_anybody_and_required_by_nobody(self):
        mount = self.settings("run-clusterjail-private.mount")
        self.assertEqual(set(mount), {"Description", "Documentation", "Before", "What", "Where", "Type", "Options", "TimeoutSec"})
        for unit in AGENT_KEYS:
            self.assertIn(unit, mount["Before"])
            self.assertIn("run-clusterjail-private.mount", self.settings(unit)["Wants"])
            self.assertIn("run-clusterjail-private.mount", self.settings(unit)["After"])
        self.assertLessEqual(int(mount["TimeoutSec"][0]), 10)

    def test_the_agents_mounts_reach_the_host(self):
        for unit, keys in AGENT_KEYS.items():
            self.assertEqual(set(self.settings(unit)), keys, unit)

    def test_timer_has_an_offset_of_each_hosts_own(self):
        timer = self.settings("clusterjail.timer")
        self.assertEqual(timer["FixedRandomDelay"], ["true"])
        self.assertRegex(timer["RandomizedDelaySec"][0], r"^[1-9]\d*(s|min)$", "0 would be no offset")

    def test_the_endpoint_is_locked_in(self):
        endpoint = self.settings("jail-policyd.service")
        wanted = {"User": ["clusterjail-policyd"], "CapabilityBoundingSet": [], "NoNewPrivileges": ["yes"],
                  "ProtectSystem": ["strict"], "ProtectHome": ["yes"], "PrivateTmp": ["yes"], "PrivateDevices": ["yes"],
                  "RestrictAddressFamilies": ["AF_INET", "AF_INET6"], "RestrictNamespaces": ["yes"],
                  "MemoryDenyWriteExecute": ["yes"], "Restart": ["on-failure"]}
        self.assertEqual({key: endpoint.get(key) for key in wanted}, wanted)


if __name__ == "__main__":
    verdict.main()
