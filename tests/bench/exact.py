#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Count the instructions that the monitor costs, in lanes, and compare them with docs/cost.json.

    exact.py [LANE...]             measure and print everything, beside other tools (make bench-exact)
    exact.py --update [LANE...]    the same, with repeated runs for the spread, and write it to docs/cost.json
    exact.py --check [LANE]        measure the monitor alone; exit 1 if a cost grew (make cost-check)
    exact.py --docs [--check]      write the table to docs/performance.md, or only compare (make docs, make lint)

A lane's guest has one CPU whose clock ticks once per instruction, so that times are counts: the same in every run, up
to where memory happens to lie, on whatever machine and beside whatever else. Caches, and CPUs that wait for each other,
do not show. tests/bench/exact.sh is what runs in the guest, tests/bench/cost.py is the table and when a difference
counts.

Needs root and what `make all tests` and `make bench-exact` build.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import cost

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "docs/cost.json"
DOCUMENT = ROOT / "docs/performance.md"
BEGIN, END = "<!-- generated: cost -->\n", "<!-- end of generated -->\n"
LANES = ("6.1", "6.12", "6.18")
CHECKED = "6.12"
RUNS = 3  # for --update
SHORT = ("off", "cachewarden")
FULL = (*SHORT, "syscalls", "quiet", "floor", "sys_enter", "kprobes", "uprobes", "audit")
TOOLS = ("bpftrace", "auditctl")
ABOUT = {
    "unit": "instructions of one operation, or of one run of a BPF program, in user and kernel mode",
    "obtained": "make bench-exact UPDATE=1: lanes with qemu -icount shift=0, medians of repeated runs; "
                "what the names mean: tests/bench/cost.py and tests/bench/exact.c",
}


def measure(lane, configurations):
    """Boots the lane once. Returns the kernel's release, its figures, and why configurations are missing."""
    tools = [name for name in TOOLS if shutil.which(name)] if configurations != SHORT else []
    command = f"uname -r; bash tests/bench/exact.sh {' '.join(configurations)}"
    lines = []
    with subprocess.Popen(["tests/lanes/lanes.sh", "-b", " ".join(tools), "-c", command, lane], text=True,
                          cwd=ROOT, stdout=subprocess.PIPE) as guest:
        for line in guest.stdout:
            lines.append(line.rstrip())
            if line.startswith(("configuration", "missing")):
                print(f"[{lane}] {lines[-1]}", file=sys.stderr)
    if guest.returncode == 3:
        sys.exit(3)  # no such kernel to be had; lanes.sh said why
    if guest.returncode or not lines or not lines[-1].startswith("end "):
        sys.exit(f"exact: the guest of lane {lane} did not run to its end: {lines[-1:]}")
    figures, missing = cost.figures_of(lines[1:])
    return lines[0], figures, missing


def major_minor(release):
    return ".".join(release.split(".")[:2])


def read_table():
    """Returns the figures and the release of each kernel."""
    table = json.loads(TABLE.read_text()) if TABLE.exists() else {"kernels": {}, "releases": {}}
    return table["kernels"], table["releases"]


def write_table(kernels, releases):
    """One figure per line, so that a diff shows which changed."""
    sections = []
    for kernel in sorted(kernels, key=lambda k: [int(n) for n in k.split(".")]):
        rows = ",\n".join(f"   {json.dumps(name)}: {json.dumps(row)}" for name, row in kernels[kernel].items())
        sections.append(f"  {json.dumps(kernel)}: {{\n{rows}\n  }}")
    about = "".join(f" {json.dumps(key)}: {json.dumps(value)},\n"
                    for key, value in {**ABOUT, "releases": releases}.items())
    TABLE.write_text("{\n" + about + ' "kernels": {\n' + ",\n".join(sections) + "\n }\n}\n")


def check(lane):
    """Returns whether no cost grew. A cost that seems to have grown is measured again, after another boot."""
    kernels, releases = read_table()
    dearer = None
    for _ in range(2):
        release, figures, missing = measure(lane, SHORT)
        kernel = major_minor(release)
        if missing or kernel not in kernels:
            print(f"{kernel}: {missing or 'no figures in docs/cost.json: make bench-exact UPDATE=1'}")
            return False
        now_dearer, cheaper = cost.compare(figures, kernels[kernel])
        dearer = {figure: text for figure, text in now_dearer.items() if dearer is None or figure in dearer}
        if not dearer:
            break
    for figure, text in dearer.items():
        print(f"{kernel}: {figure}: {text}")
    for figure, text in cheaper.items():
        print(f"{kernel}: cheaper: {figure}: {text}")
    if dearer or cheaper:
        if release != releases[kernel]:
            print(f"The kernel is {release} now; the table is of {releases[kernel]}.")
        print(f"If this is intended: make bench-exact UPDATE=1 LANES={lane}, and say why in the commit")
    else:
        print(f"{kernel}: {len(figures)} figures as in docs/cost.json")
    return not dearer


def measure_all(lanes, update):
    kernels, releases = read_table()
    for lane in lanes:
        runs, missing = [], {}
        for i in range(RUNS if update else 1):
            release, figures, why = measure(lane, SHORT if i else FULL)
            runs.append(figures)
            missing.update(why)
        kernel, section = major_minor(release), cost.merged(runs)
        print(f"\n{release}, {len(runs)} runs" + "".join(f"; no {c}: {why}" for c, why in missing.items()))
        print(cost.document({kernel: section}), end="")
        kernels[kernel], releases[kernel] = section, release
        if update:
            write_table(kernels, releases)


def docs(only_check):
    """Returns whether the document was up to date."""
    text = DOCUMENT.read_text()
    before, rest = text.split(BEGIN)
    after = rest.split(END, 1)[1]
    new = before + BEGIN + cost.document(read_table()[0]) + END + after
    if new != text and only_check:
        print(f"{DOCUMENT.relative_to(ROOT)} differs from docs/cost.json; run: make docs")
    elif new != text:
        DOCUMENT.write_text(new)
        print(f"{DOCUMENT.relative_to(ROOT)} rewritten")
    return new == text


def main():
    arguments = argparse.ArgumentParser(prog="exact.py")
    arguments.add_argument("--update", action="store_true")
    arguments.add_argument("--check", action="store_true")
    arguments.add_argument("--docs", action="store_true")
    arguments.add_argument("lanes", nargs="*", metavar="LANE")
    arguments = arguments.parse_args()
    if arguments.docs:
        sys.exit(not docs(arguments.check) and arguments.check)
    if os.geteuid() != 0:
        sys.exit("exact: booting a lane needs root")
    if arguments.check:
        sys.exit(not check(*arguments.lanes[:1] or [CHECKED]))
    measure_all(arguments.lanes or LANES, arguments.update)
    if arguments.update:
        docs(False)


main()
