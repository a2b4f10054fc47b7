#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""validate.py FILE - check JSON lines against OCSF 1.8.0's Detection Finding, in the schema beside this file.

Lines with the same members and the same types are checked once. Prints what is wrong, at most ten shapes, and exits
with 1; else prints how many lines and shapes were valid.
"""

import json
import pathlib
import sys

import jsonschema

# Our own details, which the schema leaves open.
OWN = ("unmapped",)


def shape(value):
    """What two lines must share to be checked once: members, types, and every value that the schema enumerates."""
    if isinstance(value, dict):
        return tuple((k, value[k] if k.endswith("_id") else shape(value[k])) for k in sorted(value) if k not in OWN)
    if isinstance(value, list):
        return tuple(sorted({repr(shape(v)) for v in value})) or "empty list"
    if value == "":
        return "empty string"
    return type(value).__name__


def main(path):
    schema = json.loads((pathlib.Path(__file__).parent / "detection_finding-1.8.0.schema.json").read_text("utf-8"))
    validator = jsonschema.Draft202012Validator(schema)
    seen, lines, wrong = set(), 0, 0
    with open(path, encoding="utf-8") as f:
        for text in f:
            line = json.loads(text)
            lines += 1
            key = repr(shape(line))
            if key in seen:
                continue
            seen.add(key)
            for error in validator.iter_errors(line):
                wrong += 1
                if wrong <= 10:
                    print(f"{error.json_path}: {error.message[:200]}\n    in {text[:600].rstrip()}")
    if not lines:
        print("no lines")
        return 1
    if not wrong:
        print(f"{lines} lines of {len(seen)} shapes are valid")
    return 1 if wrong else 0


sys.exit(main(sys.argv[1]))
