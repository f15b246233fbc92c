#!/usr/bin/env python3
"""jail-agent reads exactly the status reports that the schema describes: the valid examples, none of the invalid ones, and the
same of each valid one with any of its values replaced or left out."""
import json
import pathlib
import subprocess
import sys
import tempfile

import jsonschema
from common import EXAMPLES, INVALID, MISSING, SCHEMA, Report, changed, places

READER = sys.argv[2]
VALUES = [None, True, False, 0, 1, -1, 2**53 - 1, "", "x", "X y", "network", "cache", "none", "2036-01-01T00:00:00Z", "2036-01-01T00:00:00+01:00",
          "2036-13-01T00:00:00Z", "0" * 64, "0" * 63, "G" * 64, "/x", [], ["x"], [""], [1], {}, {"code": "x", "message": "y"},
          {"code": "x"}, {"code": "X", "message": "y"}, {"code": "x", "message": ""}, {"name": "x", "root": "/x", "users": 1}]
report = Report()
validator = jsonschema.Draft7Validator(json.loads((SCHEMA / "status.schema.json").read_text(encoding="utf-8")))


def reads(path):
    done = subprocess.run([READER, str(path)], capture_output=True, text=True, timeout=60, check=False)
    report.check(done.returncode in (0, 1), f"{path}: exit code {done.returncode}: {done.stderr}")
    report.check(done.returncode == 0 or len(done.stderr) > len(str(path)) + 10, f"{path}: refused without a word")
    return done.returncode == 0


valid = sorted(EXAMPLES.glob("status-*.json"))
invalid = sorted(INVALID.glob("status-*.json"))
report.check(len(valid) >= 3 and len(invalid) >= 9, "there are examples")
for path in valid:
    report.check(reads(path), f"{path.name}: jail-agent reads it")
for path in invalid:
    report.check(not reads(path), f"{path.name}: jail-agent refuses it")

with tempfile.TemporaryDirectory(prefix="jail-status-") as folder:
    file = pathlib.Path(folder) / "status.json"
    documents = [json.loads(path.read_text(encoding="utf-8")) for path in valid]
    changes = [(d, place, new) for d in documents for place in places(d) for new in VALUES + [MISSING]]
    # Every 3rd is enough, and each run takes the same ones.
    for change in changes[::3]:
        mutant = changed(*change)
        file.write_text(json.dumps(mutant), encoding="utf-8")
        accepted = validator.is_valid(mutant)
        report.check(reads(file) == accepted, f"schema accepts: {accepted}: {'/'.join(map(str, change[1]))}: {json.dumps(mutant)}")
report.end()
