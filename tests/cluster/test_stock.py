#!/usr/bin/env python3
"""Stock pam_chroot.so, reading the chroot.conf that jail-agent wrote, puts foo into the same root."""

import harness
from harness import NODES, PARTNER, ClusterTest, root

SERVICE = """session required pam_chroot.so debug
session required pam_permit.so
auth required pam_permit.so
account required pam_permit.so
"""


class Stock(ClusterTest):
    def test_managed_block(self):
        for node in NODES:
            for path in ("/etc/chroot.conf", "/etc/security/chroot.conf"):
                lines = root(node, f"cat {path}").lines
                self.assertIn(f"foo {PARTNER}", lines, f"{node} {path}")
                self.assertIn(f"bar {PARTNER}", lines, f"{node} {path}")
                self.assertNotIn("alice", " ".join(lines))

    def test_stock_module_finds_the_same_root(self):
        for node in NODES:
            # su's own file with the stock module instead of ours, in a mount namespace that ends with the command.
            seen = root(node, f"""unshare -m --propagation private bash -ec '
                cat > /tmp/stock-su <<E
{SERVICE}E
                mount --bind /tmp/stock-su /etc/pam.d/su-l
                su -l foo -c "stat -c %i:%d /; ls /home"'""")
            inside = seen.lines
            self.assertEqual(inside[0], root(node, f"stat -c %i:%d {PARTNER}").lines[0], seen.text)
            self.assertEqual(inside[1:], ["bar", "foo", "spack"], seen.text)

    def test_administrators_lines_stay_and_conflicts_are_said(self):
        path = "/etc/security/chroot.conf"
        root("login1", f"cp {path} /root/chroot.conf.saved; printf '# site\\nguest /srv/guest\\nfoo /srv/other\\n' | cat - /root/chroot.conf.saved > {path}")
        try:
            result = root("login1", "jail-agent --sync", check=False)
            said = (result.out + result.err + root("login1", "jail-agent --status").out)
            kept = root("login1", f"cat {path}").lines
            for line in ("# site", "guest /srv/guest", "foo /srv/other", f"foo {PARTNER}"):
                self.assertIn(line, kept)
            # Stock pam_chroot takes the first line that matches: the block goes to the top, and lines are named as they stand then.
            self.assertLess(kept.index(f"foo {PARTNER}"), kept.index("foo /srv/other"))
            self.assertIn(f"{path}:{kept.index('foo /srv/other') + 1}: ", said)
        finally:
            root("login1", f"cp /root/chroot.conf.saved {path}; jail-agent --sync")


if __name__ == "__main__":
    harness.main()
