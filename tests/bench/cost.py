# SPDX-License-Identifier: BSD-2-Clause
"""The table of costs, docs/cost.json: from measured lines to figures, comparing, and text. No I/O.

A table is {kernel: {figure: {column: instructions}}}. There are two kinds of figures:

  a path      "server: GET 100 B, P=1" or "stranger: open, close". Its columns are configurations: "off",
              "cachewarden", and others to compare with. What counts is the added cost, above "off".
  a program   "program: wire_egress, stranger: packet": "run" is what one run of the BPF program takes on that
              path, without what the statistics themselves take, and "runs" how often it runs per operation.

Both have a "spread": the largest difference of the added cost, or of "run", among repeated runs.
"""
import re
import statistics

OFF, OURS = "off", "cachewarden"
CONFIGURATIONS = (OFF, OURS, "syscalls", "quiet", "floor", "sys_enter", "audit", "kprobes", "uprobes")
FLOORS = ("floor_egress", "floor_ingress", "floor_syscall", "floor_function")
AT_FUNCTIONS = ("ac_", "ac32_", "floor_function")  # programs that the kernel calls through a trampoline
PROGRAM = "program: "
BULK = "10240 B, P=16"  # in how many segments it is sent is chance: shown, and not compared
SWEEP = ", sweep"  # the kernel's threads come and go: the runs for one are no constant
RUNS_SLACK = 0.02    # runs per operation; the operations around a measurement add some
GROWTH = 0.01        # of the figure itself
SPREADS = 3          # how many spreads of the table are no change; they are from few runs
RUN_SLACK = 1        # instructions of one run of a program: the statistics are exact to about 0.1
PATH_SLACK = 0.001   # of the whole path, of which the added cost is the difference of two runs


# --- from lines to figures ---

def figures_of(lines):
    """Returns ({figure: {column: instructions}}, {configuration: why it is missing}) of one guest's lines.

    A configuration measured more than once counts with its median. What the statistics show for an empty program
    is subtracted from each program that the kernel calls in the same way."""
    paths, programs, floors, missing = {}, {}, {False: [], True: []}, {}
    configuration = None
    for line in lines:
        kind, _, rest = line.partition("\t" if "\t" in line else " ")
        fields = rest.split("\t")
        if kind == "configuration":
            configuration = rest.split()[0]
        elif kind == "missing":
            name, _, why = rest.partition(" ")
            missing[name] = why
        elif kind == "figure" and configuration in CONFIGURATIONS:
            paths.setdefault(fields[0], {}).setdefault(configuration, []).append(float(fields[1]))
        elif kind == "program":
            path, program, runs, run = fields[0], fields[1], float(fields[2]), float(fields[3])
            if program in FLOORS:
                floors[program.startswith(AT_FUNCTIONS)].append(run)
            else:
                programs[f"{PROGRAM}{program}, {path}"] = (run, runs, program.startswith(AT_FUNCTIONS))
    figures = {path: {c: round(statistics.median(values), 1) for c, values in columns.items()}
               for path, columns in paths.items()}
    for name, (run, runs, at_function) in programs.items():
        if not floors[at_function]:
            raise ValueError(f"{name}: no empty program to compare with")
        figures[name] = {"run": round(run - statistics.median(floors[at_function]), 1), "runs": runs}
    return figures, missing


def is_program(figure):
    return figure.startswith(PROGRAM)


def cost(figure, columns):
    """What is compared: of a program one run, of a path what the monitor adds."""
    return columns["run"] if is_program(figure) else columns[OURS] - columns[OFF]


def merged(runs):
    """One section of the table from the figures of repeated runs: medians, and the spread.

    Of a path, the medians are those of what each configuration adds to "off" of the same run: from boot to boot, all
    of a run's configurations move together."""
    section = {}
    for figure in dict.fromkeys(name for run in runs for name in run):
        of_runs = [run[figure] for run in runs if figure in run]
        if len(of_runs) < len(runs) and is_program(figure):
            continue  # ran by chance
        row = {}
        for column in dict.fromkeys(c for columns in of_runs for c in columns):
            have = [columns for columns in of_runs if column in columns]
            if column == OFF or is_program(figure):
                row[column] = statistics.median(columns[column] for columns in have)
            else:
                row[column] = row[OFF] + statistics.median(columns[column] - columns[OFF] for columns in have)
        costs = [cost(figure, columns) for columns in of_runs]
        row["spread"] = max(costs) - min(costs)
        section[figure] = {column: round(value, 3 if column == "runs" else 1) for column, value in row.items()}
    return section


# --- comparing ---

def tolerance(figure, expected):
    """Instructions by which the cost may differ from the table's."""
    slack = RUN_SLACK if is_program(figure) else PATH_SLACK * expected[OFF]
    return GROWTH * abs(cost(figure, expected)) + max(slack, SPREADS * expected.get("spread", 0))


def change(what, before, now):
    percent = f" ({now / before - 1:+.1%})" if before > 0 else ""
    return f"{what} {before:,.6g} -> {now:,.6g}{percent}"


def compare(measured, expected):
    """Compares one kernel's figures with the table's section. Returns what became dearer and what cheaper, each
    {figure: text}. A figure that is in one of them only counts as dearer."""
    dearer = {figure: "not in the table" for figure in measured if figure not in expected and BULK not in figure}
    cheaper = {}
    for figure, row in expected.items():
        if BULK in figure:
            continue
        if figure not in measured:
            dearer[figure] = "in the table, but not measured"
            continue
        checks = [("instructions per run" if is_program(figure) else "added instructions",
                   cost(figure, row), cost(figure, measured[figure]), tolerance(figure, row))]
        if is_program(figure) and not figure.endswith(SWEEP):
            before = row["runs"]
            checks.append(("runs per operation", before, measured[figure]["runs"], GROWTH * before + RUNS_SLACK))
        for what, before, now, slack in checks:
            if now > before + slack:
                dearer[figure] = f"{change(what, before, now)}, {slack:.3g} are tolerated"
            elif now < before - slack:
                cheaper[figure] = change(what, before, now)
    return dearer, cheaper


# --- text ---

TITLES = {OURS: "cachewarden", "syscalls": "tier syscalls", "quiet": "tier quiet", "floor": "empty packet programs", "sys_enter": "empty program on every syscall",
          "audit": "audit rules", "kprobes": "bpftrace kprobes", "uprobes": "bpftrace uprobes on TLS"}


def cell(row, configuration):
    """What a configuration adds; of ours, whose runs are repeated, also how far these were apart."""
    if configuration not in row:
        return "-"
    added = round(row[configuration] - row[OFF])
    text = "0" if abs(added) <= PATH_SLACK * row[OFF] else f"{added:+,d} ({row[configuration] / row[OFF]:.3f})"
    return f"{text} ± {row['spread']:,.0f}" if configuration == OURS else text


def path_rows(kernel, section, columns):
    for figure, row in section.items():
        if not is_program(figure):
            cells = " | ".join(cell(row, c) for c in columns)
            yield f"| {kernel} | {figure} | {row[OFF]:,.0f} | {cells} |"


def document(kernels):
    """The Markdown table of all paths, and one of the programs."""
    columns = [c for c in CONFIGURATIONS[1:] if any(c in row for s in kernels.values() for row in s.values())]
    lines = [f"| kernel | operation | off | {' | '.join(TITLES[c] for c in columns)} |",
             "|---|---|" + "---|" * (len(columns) + 1)]
    for kernel, section in kernels.items():
        lines += path_rows(kernel, section, columns)
    names = list(kernels)
    lines += ["", "Instructions of one run of each BPF program, and how often it runs per operation:", "",
              f"| program | on | {' | '.join(names)} | runs |", "|---|---|" + "---|" * (len(names) + 1)]
    for figure in dict.fromkeys(f for s in kernels.values() for f in s if is_program(f)):
        program, path = re.fullmatch(rf"{PROGRAM}(\w+), (.*)", figure).groups()
        cells = [f"{kernels[k][figure]['run']:,.0f}" if figure in kernels[k] else "-" for k in names]
        runs = next(kernels[k][figure]["runs"] for k in names if figure in kernels[k])
        lines.append(f"| `{program}` | {path} | {' | '.join(cells)} | {runs:g} |")
    return "\n".join(lines) + "\n"
