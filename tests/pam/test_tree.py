"""The tree must be there, mounted, root's: else no session, never an empty root, never the host."""

import os

from sandbox import MOUNTS, ROOT, Sandbox, bind, main, mount_view, sh, unmount_view


class Tree(Sandbox):
    def test_whole(self):
        self.assert_confined("foo")

    def test_unmounted(self):
        unmount_view(ROOT)
        try:
            self.assert_refused("foo", "mounted")
            self.assert_free("other")
        finally:
            os.rename(ROOT, ROOT + ".gone")
            mount_view(ROOT, self.ALL)

    def test_one_bind_unmounted(self):
        for target in ("/usr", "/home/foo", "/proc"):
            with self.subTest(target=target):
                sh("umount", "--lazy", ROOT + target)
                self.assert_refused("foo", ROOT + target)
                sh("mount", "--rbind", target, ROOT + target)
        self.assert_confined("foo")

    def test_another_users_home_unmounted(self):
        sh("umount", ROOT + "/home/bar")
        self.assert_confined("foo")
        sh("mount", "--bind", "/home/bar", ROOT + "/home/bar")

    def test_mount_point_gone(self):
        sh("umount", ROOT + "/home/foo")
        os.rmdir(ROOT + "/home/foo")
        self.assert_refused("foo", ROOT + "/home/foo")
        os.symlink("/home/bar", ROOT + "/home/foo")
        self.assert_confined("foo") # root's own symlink stands for a bind
        os.lchown(ROOT + "/home/foo", 12001, 12001)
        self.assert_refused("foo", ROOT + "/home/foo")
        os.unlink(ROOT + "/home/foo")
        bind("/home/foo", ROOT + "/home/foo")

    def test_symlink_on_the_way(self):
        sh("umount", ROOT + "/home/foo")
        os.rename(ROOT + "/home", ROOT + "/elsewhere")
        os.symlink("/home", ROOT + "/home")
        self.assert_refused("foo", ROOT + "/home/foo")
        os.unlink(ROOT + "/home")
        os.rename(ROOT + "/elsewhere", ROOT + "/home")
        bind("/home/foo", ROOT + "/home/foo")

    def test_marker(self):
        marker = ROOT + "/.clusterjail"
        sh("umount", marker)
        os.chmod(marker, 0o700)
        self.assert_refused("foo", marker)
        sh("mount", "--bind", "/home/foo", marker)
        self.assert_refused("foo", marker)
        sh("umount", marker)
        sh("mount", "--bind", "/mnt/marker/partner", marker)
        os.chmod("/mnt/marker/partner", 0o755)
        self.assert_refused("foo", marker)
        os.chmod("/mnt/marker/partner", 0o700)
        self.assert_confined("foo")

    def test_component_writable(self):
        for path, mode in (("/mnt/roots", 0o777), ("/mnt/roots", 0o1777), ("/mnt/roots", 0o720), (ROOT, 0o775),
                           ("/mnt", 0o757)):
            with self.subTest(path=path, mode=mode):
                before = os.stat(path).st_mode
                os.chmod(path, mode)
                self.assert_refused("foo", path)
                os.chmod(path, before)

    def test_component_of_another(self):
        for path in ("/mnt", "/mnt/roots", ROOT):
            with self.subTest(path=path):
                os.chown(path, 12001, 0)
                self.assert_refused("foo", path)
                os.chown(path, 0, 0)

    def test_root_is_a_symlink(self):
        os.rename("/mnt/roots", "/mnt/moved")
        os.symlink("moved", "/mnt/roots")
        self.assert_refused("foo", "/mnt/roots")
        os.unlink("/mnt/roots")
        os.rename("/mnt/moved", "/mnt/roots")

    def test_optional(self):
        self.assertIn("/srv/nowhere - optional", MOUNTS)
        self.assertFalse(os.path.exists(ROOT + "/srv/nowhere"))
        self.assert_confined("foo")


if __name__ == "__main__":
    main()
