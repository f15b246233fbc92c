#!/usr/bin/env python3
"""Every escape that is known, tried as the confined user: on a login and on a compute node, in both kinds of confinement, and in the
recipe that this project replaces. README.md says what an attack is made of."""

import json
import pathlib
import re
import sys
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "cluster")]
import catalogue
import fixture
import harness
import test_sessions
from fixture import COLUMNS, Phase

LEFT = "pgrep -u {user} -a | grep -vE 'systemd|\\(sd-pam\\)'"


class Catalogue(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.attacks = catalogue.read_all()
        cls.results = {column: {} for column in COLUMNS}
        cls.addClassCleanup(fixture.take_back)
        fixture.set_up()
        for phase in (Phase("chroot", beside="recipe"), Phase("namespace", beside="unconfined")):
            phase.prepare(cls.attacks)
            for column, found in phase.run(cls.attacks).items():
                cls.results[column].update(found)
        report = {column: {name: vars(result) for name, result in found.items()} for column, found in cls.results.items()}
        (harness.BUILD / "attacks.json").write_text(json.dumps(report, indent=1))
        print(catalogue.table(cls.attacks, cls.results), flush=True)

    def test_a_leak_is_seen(self):
        """The judge, on what an unconfined user sees."""
        said = harness.ssh("alice", "login1", f"{fixture.folder('alice')}/probe", check=True).out
        self.assertEqual(catalogue.judge("tried: it\n" + said), "leaked", said)
        for mount in ("/home", "/vault"):
            said = harness.ssh("alice", "login1", f"ls {mount}; cat {mount}/alice/secret.txt", check=True).out
            self.assertEqual(catalogue.judge("tried: it\n" + said), "leaked", said)
        self.assertEqual(catalogue.judge("tried: it\nls: cannot access '/home/alice': No such file or directory\n"), "held")
        self.assertEqual(catalogue.judge("nothing\n"), "not tried")

    def test_every_attack_is_as_expected(self):
        for attack in self.attacks:
            for column in catalogue.columns_of(attack):
                with self.subTest(attack=attack.name, column=column):
                    result = self.results[column].get(attack.name)
                    if result is None and attack.needs and not Phase.has(attack.needs):
                        continue
                    self.assertIsNotNone(result, "it was not run")
                    expected = attack.expected(COLUMNS[column].kind)
                    self.assertEqual(result.verdict, "leaked" if expected == "documented" else "held", result.said)

    def test_no_attack_is_blind(self):
        """Where nobody is confined each leaks, but for those that want more than a user has anywhere."""
        for attack in self.attacks:
            result = self.results["unconfined c2"].get(attack.name)
            if result is not None and not attack.is_blind:
                with self.subTest(attack=attack.name):
                    self.assertEqual(result.verdict, "leaked", result.said)

    def test_the_recipe_leaks(self):
        """Else the column compares with nothing."""
        leaked = [name for name, result in self.results["recipe c1"].items() if result.verdict == "leaked"]
        self.assertIn("cron.sh", leaked)
        self.assertGreater(len(leaked), 3, leaked)

    def test_security_has_a_row_for_each(self):
        text = (harness.TOP / "SECURITY.md").read_text()
        for attack in self.attacks:
            row = re.search(rf"(?m)^\| `{re.escape(attack.name)}` \|.*$", text)
            with self.subTest(attack=attack.name):
                self.assertIsNotNone(row, "no row")
                documented = "documented" in attack.expect.values()
                self.assertEqual("not held" in row.group(), documented, row.group())

    def test_zz_nothing_is_left(self):
        fixture.take_back()
        test_sessions.wait_idle(self)
        for node in harness.NODES:
            for user in fixture.USERS:
                end = time.monotonic() + 20
                while (left := harness.root(node, LEFT.format(user=user), check=False).out) and time.monotonic() < end:
                    time.sleep(0.5)
                self.assertEqual(left, "", f"{node}: {user}")
                self.assertEqual(harness.root(node, f"ls -d /var/lib/systemd/linger/{user}", check=False).out, "", f"{node}: {user}")
                self.assertEqual(harness.root(node, f"crontab -u {user} -l", check=False).out, "", f"{node}: {user}")
            self.assertEqual(harness.root(node, "ls -d /srv/recipe /vault", check=False).out, "", node)
            self.assertEqual(harness.root(node, "jail-agent --check", check=False).rc, 0, node)


if __name__ == "__main__":
    harness.main()
