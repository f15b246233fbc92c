#!/usr/bin/env python3
"""The schemas are schemas, take the valid examples, and refuse the invalid ones, but for a list that is exact."""
import json

import jsonschema
from common import EXAMPLES, INVALID, SCHEMA, Report, cannot_say, lint, load

report = Report()
listed = cannot_say()


def accepts(validator, path):
    try:
        return validator.is_valid(load(path.read_bytes()))
    except ValueError:
        return False


for kind in ("policy", "trust", "status"):
    schema = json.loads((SCHEMA / f"{kind}.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    valid = sorted(EXAMPLES.glob(f"{kind}-*.json"))
    invalid = sorted(INVALID.glob(f"{kind}-*.json"))
    report.check(valid and invalid, f"there are examples of a {kind}")
    for path in valid:
        report.check(accepts(validator, path), f"{path.name}: the schema accepts it")
    for path in invalid:
        said = accepts(validator, path)
        if path.name in listed:
            report.check(said, f"{path.name}: the schema refuses it, so it must leave schema-cannot-say.txt")
            report.check(listed.pop(path.name), f"{path.name}: listed with a reason")
        else:
            report.check(not said, f"{path.name}: the schema refuses it")
        if kind == "policy":
            report.check(lint(path)[0] == 1, f"{path.name}: lint refuses it")
report.check(not listed, f"schema-cannot-say.txt lists files that are not there: {sorted(listed)}")
report.end()
