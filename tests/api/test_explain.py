"""explain: which rule holds for somebody, and what they see."""

import pwd

import workshop
import verdict

USER = "explain-nobody"  # no account of this machine


class Explain(workshop.Workshop):
    def setUp(self):
        super().setUp()
        mounts = [{"bind": "/usr", "options": ["ro", "nosuid"]}, {"bind": "/home/%u", "optional": True},
                  {"bind": "%h/data", "from": "/data/%g"}, {"tmpfs": "/tmp", "size": "1G"}]
        self.write("policy.json", workshop.policy(
            jails={"each": {"confine": "chroot", "root": "/jails/%u", "mounts": mounts},
                   "all": {"confine": "chroot", "root": "/jails-all", "mounts": [{"bind": "/usr"}]},
                   "host": {"confine": "namespace", "mounts": [
                       {"hide": "/home"}, {"bind": "/home/%u"}, {"private": "/tmp", "backing": "memory"}]}},
            rules=[{"groups": ["staff"], "jail": None},
                   {"users": [USER, "root", "daemon"], "nodes": ["c[01-10]"], "jail": "each"},
                   {"groups": ["ext-*"], "jail": "all"},
                   {"match": "v[0-9]+", "jail": "all"},
                   {"match": "w[0-9]+", "jail": "host"}]))

    def explain(self, user, *more):
        return self.good("explain", "policy.json", "--user", user, *more)

    def test_user_without_account(self):
        self.assertEqual(
            self.explain(USER, "--node", "c07", "--groups", "x"),
            f"{USER} is confined by rule 1 (/rules/1): users {USER}, root, daemon on c[01-10]: jail each\n"
            f"jail each: chroot to /jails/{USER}\n"
            f"  bind /usr (ro,nosuid)\n  bind /home/{USER}, if it is there\n"
            "  bind %h/data from /data/%g\n  tmpfs /tmp, size 1G\n"
            f"%g and %h stand for the primary group and the home of {USER}, which this machine does not know\n")

    def test_user_with_account(self):
        home = pwd.getpwnam("daemon").pw_dir
        text = self.explain("daemon", "--node", "c01", "--groups", "x")
        self.assertIn(f"  bind {home}/data from /data/daemon\n", text)
        self.assertNotIn("%", text)

    def test_node(self):
        self.assertIn(f"{USER} is not confined: none of 5 rules matches\n", self.explain(USER, "--node", "c7"))
        self.assertIn("note: without --node only rules for every node match\n", self.explain(USER))

    def test_groups(self):
        text = self.explain("ann")
        self.assertIn("note: without --groups no rule by groups matches\n", text)
        self.assertIn("ann is not confined: none of 5 rules matches\n", text)
        self.assertIn("ann is confined by rule 2 (/rules/2): groups ext-*: jail all\n",
                      self.explain("ann", "--groups", "x,ext-b"))
        self.assertIn("ann is not confined by rule 0 (/rules/0): groups staff: not confined\n",
                      self.explain("ann", "--groups", "ext-b,staff"))

    def test_match(self):
        self.assertIn("v12 is confined by rule 3 (/rules/3): match v[0-9]+: jail all\n", self.explain("v12"))
        self.assertIn("xv12 is not confined", self.explain("xv12"))
        self.assertIn("V12 is not confined", self.explain("V12"))

    def test_namespace_jail(self):
        self.assertIn("w1 is confined by rule 4 (/rules/4): match w[0-9]+: jail host\n"
                      "jail host: the host, in a mount namespace of each session's own\n"
                      "  hide /home\n  bind /home/w1\n  private /tmp, in memory\n", self.explain("w1"))

    def test_root(self):
        self.assertIn("root is not confined: uid 0 never is\n", self.explain("root", "--node", "c01"))

    def test_envelope(self):
        self.keys("admin")
        self.sign(workshop.policy(), "admin")
        text = self.good("explain", "envelope", "--user", "foo")
        self.assertIn("note: envelope is an envelope; its signatures were not verified\n", text)
        self.assertIn("foo is confined by rule 0 (/rules/0)", text)

    def test_bad(self):
        self.write("bad.json", {"format": 2})
        self.assertIn("[format]", self.refused("bad.json is no good policy", "explain", "bad.json", "--user", "foo"))
        self.usage("say whom with --user", "explain", "policy.json")
        self.usage("name one policy", "explain", "--user", "foo")


if __name__ == "__main__":
    verdict.main()
