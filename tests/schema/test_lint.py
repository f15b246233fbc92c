#!/usr/bin/env python3
"""jail-policy lint takes the valid examples, and names place and rule of each invalid one (invalid.tsv)."""
import re

from common import EXAMPLES, INVALID, SCHEMA, Report, lint, table

report = Report()

valid = sorted(EXAMPLES.glob("policy-*.json"))
report.check(len(valid) >= 6, "there are six valid policies at least")
for path in valid:
    code, problems = lint(path)
    errors = [problem for problem in problems if not problem["warning"]]
    report.check(code == 0 and not errors, f"{path.name} is good: {code} {errors}")

rows = table("invalid.tsv", "\t")
names = sorted(path.name for path in INVALID.glob("policy-*.json"))
report.check(names == sorted(row[0] for row in rows), "invalid.tsv lists exactly the files that are there")
report.check(len(names) >= 40, "there are forty invalid policies at least")
for name, rule, pointer, place in rows:
    code, problems = lint(INVALID / name)
    errors = [problem for problem in problems if not problem["warning"]]
    said = [(e["rule"], e["pointer"], f"{e['line']}:{e['column']}") for e in errors]
    report.check(code == 1, f"{name}: exit code {code}")
    report.check(said == [(rule, pointer, place)], f"{name}: {said}, expected {rule} {pointer} {place}")
    report.check(all(len(e["message"]) > 10 for e in errors), f"{name}: a sentence for people")
    report.check(name.startswith(f"policy-{rule}"), f"{name}: named after the rule {rule}")

# Every rule is in the man page, and so is every warning.
page = (SCHEMA.parent / "packaging" / "man" / "jail-policy.1").read_text(encoding="utf-8")
listed = set(re.findall(r"[a-z0-9-]+", " ".join(re.findall(r"^\.It ([a-z][a-z0-9 ,-]*)$", page, re.MULTILINE))))
sources = "".join(p.read_text(encoding="utf-8") for p in sorted((SCHEMA.parent / "lib" / "wire").glob("lint*.c")))
warnings = set(re.findall(r'JAIL_LINT_WARNING\(\s*lint,\s*"([a-z-]+)"', sources))
report.check(len(warnings) >= 5, f"the warnings are found in the sources: {warnings}")
missing = ({row[1] for row in rows} | warnings) - listed
report.check(not missing, f"jail-policy(1) lists every rule; missing: {sorted(missing)}")
report.end()
