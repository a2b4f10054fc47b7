#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Turn the compiler calls of a `make --dry-run` on stdin into compile_commands.json on stdout.

The format is Clang's JSON compilation database, which clangd and other editors' tools read.
"""
import json
import os
import shlex
import sys

entries = []
for line in sys.stdin.read().replace("\\\n", " ").splitlines():
    if " -o " not in line:
        continue
    words = shlex.split(line)
    sources = [word for word in words if word.endswith(".c")]
    if sources:
        # Fuzz targets compile sources of userspace/ too; those have entries of their own.
        entries.append({"directory": os.getcwd(), "file": sources[0], "arguments": words})
json.dump(entries, sys.stdout, indent=1)
print()
