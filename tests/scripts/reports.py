#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""reports.py junit|sarif FILE - check a report of `cachewarden validate` against what its schema requires.

The rules are those of the schemas that readers use: Jenkins' junit-10.xsd, and OASIS' sarif-schema-2.1.0.json as far as
the report uses it: required members, no others, value types and enumerations.
"""
import json
import re
import sys
import xml.etree.ElementTree as ElementTree

# element: (required attributes, optional ones, children)
JUNIT = {
    "testsuites": ((), ("name", "time", "tests", "failures", "errors"), ("testsuite",)),
    "testsuite": (("name", "tests"), ("failures", "errors", "skipped", "time", "timestamp"), ("testcase",)),
    "testcase": (("name",), ("classname", "time"), ("failure", "skipped")),
    "failure": ((), ("type", "message"), ()),
    "skipped": ((), ("type", "message"), ()),
}
TEXT = {"text": (str, True)}
# member: (type or nested object or [nested object] or a set of values, required)
SARIF = {
    "$schema": (str, False),
    "version": ({"2.1.0"}, True),
    "runs": ([{
        "tool": ({"driver": ({
            "name": (str, True),
            "semanticVersion": (str, False),
            "rules": ([{"id": (str, True), "shortDescription": (TEXT, False), "fullDescription": (TEXT, False),
                        "help": (TEXT, False)}], False),
        }, True)}, True),
        "results": ([{
            "ruleId": (str, False),
            "ruleIndex": (int, False),
            "kind": ({"notApplicable", "pass", "fail", "review", "open", "informational"}, False),
            "level": ({"none", "note", "warning", "error"}, False),
            "message": (TEXT, True),
            "locations": ([{"logicalLocations": ([{"name": (str, False), "kind": (str, False)}], False)}], False),
        }], False),
    }], True),
}


def check_element(element):
    required, optional, children = JUNIT[element.tag]
    missing = set(required) - set(element.attrib)
    unknown = set(element.attrib) - set(required) - set(optional)
    if missing or unknown:
        sys.exit(f"<{element.tag}>: lacks {sorted(missing)}, does not know {sorted(unknown)}")
    for name in ("tests", "failures", "errors", "skipped"):
        if name in element.attrib and not element.attrib[name].isdigit():
            sys.exit(f"<{element.tag}>: {name} is no number")
    stamp = element.attrib.get("timestamp")
    if stamp and not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ?", stamp):
        sys.exit(f"<{element.tag}>: {stamp} is no date and time")
    for child in element:
        if child.tag not in children:
            sys.exit(f"<{child.tag}> within <{element.tag}>")
        check_element(child)


def check_junit(path):
    root = ElementTree.parse(path).getroot()
    if root.tag != "testsuites":
        sys.exit(f"the root is <{root.tag}>")
    check_element(root)
    for attribute, tag in (("tests", "testcase"), ("failures", "failure")):
        for suite in (root, *root.findall("testsuite")):
            if int(suite.attrib[attribute]) != len(list(suite.iter(tag))):
                sys.exit(f"<{suite.tag}>: {attribute} is not the number of <{tag}>")


def check_value(value, want, where):
    if isinstance(want, set):
        ok = value in want
    elif isinstance(want, list):
        ok = isinstance(value, list)
        for i, item in enumerate(value if ok else ()):
            check_value(item, want[0], f"{where}[{i}]")
    elif isinstance(want, dict):
        ok = isinstance(value, dict)
        for name in value if ok else ():
            if name not in want:
                sys.exit(f"{where}: unknown member {name}")
        for name, (inner, required) in want.items():
            if ok and name in value:
                check_value(value[name], inner, f"{where}.{name}")
            elif required:
                sys.exit(f"{where}: lacks {name}")
    else:
        ok = isinstance(value, want)
    if not ok:
        sys.exit(f"{where}: {value!r} is not {want}")


def check_sarif(path):
    with open(path, encoding="utf-8") as file:
        log = json.load(file)
    check_value(log, SARIF, "log")
    run = log["runs"][0]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    if len(set(rules)) != len(rules):
        sys.exit("two rules have one id")
    for result in run["results"]:
        if rules[result["ruleIndex"]] != result["ruleId"]:
            sys.exit(f"{result['ruleId']}: ruleIndex leads to another rule")
        if (result["kind"] == "fail") == (result["level"] == "none"):
            sys.exit(f"{result['ruleId']}: level {result['level']} for kind {result['kind']}")


{"junit": check_junit, "sarif": check_sarif}[sys.argv[1]](sys.argv[2])
