#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Compare what the BPF programs cost this kernel's verifier with the committed table.

    verifier-cost.py [--update]

Prints the programs that changed. Exits with 1 if a program processes more than 10 % more
instructions, or uses more than 10 % more stack, than tests/bench/verifier-cost.json says, or if a
program has no row there. --update writes the measured figures to the table instead.

The figures depend on the kernel, so the table has a section for each major.minor version; a kernel
without a section is reported and is not a failure. Needs root, and `make all`.
"""
import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "tests/bench/verifier-cost.json"
BUILD = ROOT / "build"
GROWTH = 1.10
FIGURES = ("instructions", "stack")


def measure():
    """Returns {"object/program": [instructions, stack]} of what this kernel accepts, and the rest."""
    objects = sorted(BUILD.glob("*.bpf.o"))
    if not objects:
        sys.exit("verifier-cost: no build/*.bpf.o: make all")
    lines = subprocess.run([BUILD / "bench/verifier_cost", *objects], check=True, text=True,
                           stdout=subprocess.PIPE).stdout.splitlines()
    costs, refused = {}, []
    for line in lines:
        obj, program, instructions, rest = line.split("\t")
        if instructions == "-":
            refused.append(program)
        else:
            costs[f"{obj}/{program}"] = [int(instructions), int(rest)]
    return costs, refused


def write_table(table):
    """One program per line, so that a diff shows which program changed."""
    sections = []
    for kernel in sorted(table, key=lambda k: [int(n) for n in k.split(".")]):
        rows = ",\n".join(f'    "{name}": {json.dumps(cost)}'
                          for name, cost in sorted(table[kernel].items()))
        sections.append(f'  "{kernel}": {{\n{rows}\n  }}')
    TABLE.write_text("{\n" + ",\n".join(sections) + "\n}\n")


def compare(costs, expected):
    """Prints every change. Returns the number of failures."""
    failures = 0
    for name, cost in sorted(costs.items()):
        if name not in expected:
            print(f"{name}: {cost[0]} instructions, {cost[1]} bytes of stack: not in the table")
            failures += 1
            continue
        for figure, now, before in zip(FIGURES, cost, expected[name]):
            if now == before:
                continue
            grown = now > before * GROWTH
            failures += grown
            print(f"{name}: {figure} {before} -> {now} ({now / before - 1:+.1%})"
                  + (", more than 10 % larger" if grown else ""))
    for name in sorted(expected.keys() - costs.keys()):
        print(f"{name}: in the table, but this kernel did not load it")
        failures += 1
    return failures


def main():
    update = sys.argv[1:] == ["--update"]
    if sys.argv[1:] and not update:
        sys.exit("usage: verifier-cost.py [--update]")
    if os.geteuid() != 0:
        sys.exit("verifier-cost: loading BPF programs needs root")
    kernel = ".".join(os.uname().release.split(".")[:2])
    table = json.loads(TABLE.read_text()) if TABLE.exists() else {}
    costs, refused = measure()
    if refused:
        print(f"not loaded on this kernel ({kernel}), so not compared: {len(refused)} programs")
    if update:
        table[kernel] = costs
        write_table(table)
        print(f"{len(costs)} programs written to {TABLE.relative_to(ROOT)} for kernel {kernel}")
        return 0
    if kernel not in table:
        print(f"no figures for kernel {kernel} in {TABLE.relative_to(ROOT)}; there are: "
              f"{', '.join(table)}. To add this kernel: make verifier-cost UPDATE=1")
        return 0
    failures = compare(costs, table[kernel])
    if failures:
        print("If the new figures are intended: make verifier-cost UPDATE=1, and say why in the commit")
        return 1
    largest = max(costs, key=lambda name: costs[name][0])
    print(f"{len(costs)} programs within 10 % of the table; the largest is {largest}: "
          f"{costs[largest][0]} instructions")
    return 0


sys.exit(main())
