#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""ci_steps.py FILE - print the shell commands of a CI file of docs/ci, as the CI server would run them."""
import re
import sys

import yaml


def steps(path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    if path.endswith("Jenkinsfile"):
        return re.findall(r"\bsh '''(.*?)'''", text, re.DOTALL)
    top = yaml.safe_load(text)
    if "jobs" in top:
        return [step["run"] for job in top["jobs"].values() for step in job["steps"] if "run" in step]
    return [line for job in top.values() for line in job["script"]]


def main():
    found = steps(sys.argv[1])
    if not found:
        sys.exit(f"{sys.argv[1]}: no shell command found")
    print("\n".join(found))


main()
