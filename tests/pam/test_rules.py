"""Which rule holds, and what the log says about it."""

from sandbox import POLICY, Sandbox, compile_policy, main


class Rules(Sandbox):
    def test_log_says_all(self):
        line = self.assert_confined("foo").log[0]
        for word in ("foo", "partner", "/mnt/roots/partner", "policy 42", "rule 1"):
            self.assertIn(word, line)

    def test_exempt_comes_first(self):
        self.assert_free("exempt")

    def test_expression_over_the_whole_name(self):
        self.assert_confined("visitor7")

    def test_local_group(self):
        self.assert_confined("bar")

    def test_group_from_a_service(self):
        got = self.assert_confined("ext", env={"JAILTEST_GROUPS": "up"})
        self.assertNotIn("last resolved", got.log[0])

    def test_service_for_groups_dead(self):
        self.assertIn("last resolved", self.assert_confined("ext").log[0])

    def test_unknown_membership_does_not_exempt(self):
        compile_policy(POLICY.replace("rule groups staff null", "rule groups ext-* null"))
        self.assert_confined("ext")
        self.assert_free("ext", env={"JAILTEST_GROUPS": "up"})

    def test_steps_have_the_groups_of_the_job(self):
        compile_policy(POLICY.replace("member ext", "member extra").replace("12900 ext", "12900"))
        self.assert_free("ext")
        self.assert_free("ext", options=["-g", "12900"])
        self.assert_confined("ext", service="slurm", options=["-g", "12900"])

    def test_root_each(self):
        self.assert_confined("solo", ["solo"])
        self.assert_confined("duo", ["duo"])

    def test_few_descriptors(self):
        opened = []
        for limit in range(4, 12):
            got = self.session("foo", "ls", "/home", under=["prlimit", f"--nofile={limit}"])
            self.assertNotIn("other", got.lines)
            opened.append(got.one("open"))
        self.assertTrue(opened[0].startswith("refused"))
        self.assertEqual(opened[-1], "SUCCESS")


if __name__ == "__main__":
    main()
