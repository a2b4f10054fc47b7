#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Compare what the BPF programs cost the kernel's verifier with the committed table.

    verifier-cost.py [--update] [LANE...]

Measures on this kernel, or on the kernels of the lanes (tests/lanes), where programs load that this
one refuses.

Prints the programs that changed. Exits with 1 if a program processes more than 10 % more
instructions, or uses more than 10 % more stack, than tests/bench/verifier-cost.json says, or if a
program has no row there. --update writes the measured figures to the table instead.

The stack is the sum over all functions of a program, as the verifier prints it. Its limit of 512 bytes
holds for each chain of calls, so a sum can be larger.

The figures depend on the kernel, so the table has a section for each major.minor version; a kernel
without a section is reported and is not a failure. Needs root, and what `make verifier-cost` builds.
"""
import argparse
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


def measured_lines(lane):
    """Runs the measuring program, here or in a lane. Returns the kernel's version and its lines."""
    objects = sorted(str(path.relative_to(ROOT)) for path in BUILD.glob("*.bpf.o"))
    command = f"uname -r; build/bench/verifier_cost {' '.join(objects)}"
    if lane:
        run = ["tests/lanes/lanes.sh", "-c", command, lane]
    else:
        run = ["sh", "-c", command]
    lines = subprocess.run(run, check=True, text=True, cwd=ROOT,
                           stdout=subprocess.PIPE).stdout.splitlines()
    return ".".join(lines[0].split(".")[:2]), [line.rstrip() for line in lines[1:]]


def measure(lane):
    """Returns the kernel's version, {"object/program": [instructions, stack]}, and what it refuses."""
    kernel, lines = measured_lines(lane)
    costs, refused = {}, []
    for line in lines:
        obj, program, instructions, rest = line.split("\t")
        if instructions == "-":
            refused.append(f"{obj}/{program}")
        else:
            costs[f"{obj}/{program}"] = [int(instructions), int(rest)]
    return kernel, costs, refused


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


def check(kernel, costs, table):
    """Compares one kernel's figures with the table. Returns the number of failures."""
    if kernel not in table:
        print(f"no figures for kernel {kernel} in {TABLE.relative_to(ROOT)}; there are: "
              f"{', '.join(table)}. To add this kernel: make verifier-cost UPDATE=1")
        return 0
    failures = compare(costs, table[kernel])
    if not failures:
        largest = max(costs, key=lambda name: costs[name][0])
        print(f"{kernel}: {len(costs)} programs within 10 % of the table; the largest is {largest}: "
              f"{costs[largest][0]} instructions")
    return failures


def main():
    arguments = argparse.ArgumentParser(prog="verifier-cost.py")
    arguments.add_argument("--update", action="store_true")
    arguments.add_argument("lanes", nargs="*", metavar="LANE")
    arguments = arguments.parse_args()
    if os.geteuid() != 0:
        sys.exit("verifier-cost: loading BPF programs needs root")
    table = json.loads(TABLE.read_text()) if TABLE.exists() else {}
    failures = 0
    for lane in arguments.lanes or [None]:
        kernel, costs, refused = measure(lane)
        print(f"{kernel}: {len(costs)} programs measured; {len(refused)} do not load on this kernel")
        if arguments.update:
            table[kernel] = costs
        else:
            failures += check(kernel, costs, table)
    if arguments.update:
        write_table(table)
        print(f"written to {TABLE.relative_to(ROOT)}")
    elif failures:
        print("If the new figures are intended: make verifier-cost UPDATE=1, and say why in the commit")
    return bool(failures)


sys.exit(main())
