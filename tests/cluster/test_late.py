#!/usr/bin/env python3
"""A /home that is mounted after the first sync, or replaced, is what the next sync shows."""

import harness
from harness import ClusterTest, root, ssh, sync

SEEN = ["bar", "foo", "spack"]


class Late(ClusterTest):
    def mount_over_home(self, label):
        """Another file system comes over the node's /home, as a late NFS mount would."""
        root("c2", f"""mkdir -p /root/{label} && mount -t tmpfs -o mode=755 {label} /root/{label} && cd /root/{label} &&
            for user in foo bar alice carol; do cp -a /home/$user . && echo {label} > $user/where; done && cp -a /home/spack . &&
            mount --bind /root/{label} /home""")

    def where(self):
        return ssh("foo", "c2", "cat ~/where; ls /home").out.split()

    def test_late_and_replaced(self):
        try:
            self.mount_over_home("late")
            check = root("c2", "jail-agent --check", check=False)
            self.assertEqual(check.rc, 2, check.text)
            self.assertIn("/home/foo", check.out)
            self.assertEqual(sync("c2", check=False).rc, 0)
            self.assertEqual(self.where(), ["late"] + SEEN)
            self.mount_over_home("again")
            sync("c2")
            self.assertEqual(self.where(), ["again"] + SEEN)
            self.assertIn("again", ssh("foo", "login1", "srun -w c2 cat /home/foo/where").out)
        finally:
            root("c2", "umount -l /home /home; umount -l /root/late /root/again; jail-agent --sync", check=False)
        self.assertEqual(self.where(), SEEN)
        self.assertEqual(root("c2", "jail-agent --check", check=False).rc, 0)

    def test_submount_arrives_by_itself(self):
        """A plain bind follows the host: what is mounted below it later is there without a sync."""
        root("c2", "mkdir -p /opt/late && mount -t tmpfs late /opt/late && touch /opt/late/here")
        try:
            self.assertEqual(ssh("foo", "c2", "ls /opt/late").out, "here\n")
            self.assertEqual(root("c2", "jail-agent --check", check=False).rc, 0)
        finally:
            root("c2", "umount /opt/late && rmdir /opt/late")
        self.assertEqual(root("c2", "jail-agent --check", check=False).rc, 0)


if __name__ == "__main__":
    harness.main()
