# SPDX-License-Identifier: BSD-2-Clause
"""Statistics and tables of the benchmark: numbers in, text and JSON out, no I/O."""
import re

CONFIGURATIONS = ("none", "cachewarden", "against", "auditd", "uprobes")
PHASES = ("protected-1", "protected-16", "other-1", "other-16")
EMPTY_PROGRAM = ("(empty_egress)", "(empty_ingress)")


def quantile(values, q):
    """The q quantile, linear between ranks."""
    ordered = sorted(values)
    at = (len(ordered) - 1) * q
    low = int(at)
    if low + 1 >= len(ordered):
        return ordered[-1]
    return ordered[low] + (at - low) * (ordered[low + 1] - ordered[low])


def of_line(text):
    """The figures of a line "key=value ..."."""
    return {key: float(value) if "." in value else int(value)
            for key, value in re.findall(r"(\w+)=(-?[\d.]+)", text)}


class Runs:
    """Measured runs: one (requests/s, p99 ms, server CPU ns/request) per round, configuration and
    pipeline depth.

    Ratios are given twice: of the medians over all rounds, and as the quartiles of the ratios within
    each round. A round is short, so on a machine with other work the second is the better one.
    """

    FIGURES = ("throughput", "p99", "cpu")

    def __init__(self):
        self.value = {}  # (round, configuration, pipeline) -> figures

    def add(self, round_nr, config, pipeline, requests_per_s, p99_ms, cpu_ns):
        self.value[round_nr, config, pipeline] = (requests_per_s, p99_ms, cpu_ns)

    def configurations(self):
        present = {config for _, config, _ in self.value}
        return [config for config in CONFIGURATIONS if config in present]

    def pipelines(self):
        return sorted({pipeline for _, _, pipeline in self.value})

    def rounds(self, config, pipeline):
        return sorted(r for r, c, p in self.value if (c, p) == (config, pipeline))

    def median(self, config, pipeline, figure):
        return quantile([self.value[r, config, pipeline][figure]
                         for r in self.rounds(config, pipeline)], 0.5)

    def ratio(self, config, base, pipeline, figure):
        """Returns the ratio of the medians, and the quartiles of the ratios within the rounds."""
        paired = [self.value[r, config, pipeline][figure] / self.value[r, base, pipeline][figure]
                  for r in self.rounds(config, pipeline)
                  if self.value.get((r, base, pipeline), (0, 0, 0))[figure] > 0]
        of_medians = self.median(config, pipeline, figure) / self.median(base, pipeline, figure)
        return of_medians, [quantile(paired, q) for q in (0.25, 0.5, 0.75)]

    def ratio_cells(self, config, base, pipeline):
        cells = []
        for figure in range(len(self.FIGURES)):
            of_medians, quartiles = self.ratio(config, base, pipeline, figure)
            quartiles = " ".join(f"{q:.3f}" for q in quartiles)
            cells.append(f"{f'{of_medians:.3f} ({quartiles})':<25}")
        return " ".join(cells).rstrip()

    def table(self):
        lines = [f"{'':12} {'pipe':>4}  {'req/s':>9} {'p99 ms':>8} {'us/req':>9}   "
                 f"{'throughput':25} {'p99 latency':25} server CPU/request"]
        for pipeline in self.pipelines():
            for config in self.configurations():
                rate, p99, cpu = (self.median(config, pipeline, f) for f in range(3))
                line = f"{config:12} {pipeline:4d}  {rate:9.0f} {p99:8.3f} {cpu / 1000:9.2f}"
                if config != "none":
                    line += "   " + self.ratio_cells(config, "none", pipeline)
                lines.append(line)
        return lines

    def against_table(self):
        """Ratios of this build to the one it is compared with; empty without one."""
        if "against" not in self.configurations():
            return []
        return [f"{'':12} {pipeline:4d}  {'cachewarden to against':30}"
                + self.ratio_cells("cachewarden", "against", pipeline)
                for pipeline in self.pipelines()]

    def json(self):
        result = []
        for pipeline in self.pipelines():
            for config in self.configurations():
                rate, p99, cpu = (self.median(config, pipeline, f) for f in range(3))
                row = {"config": config, "pipeline": pipeline, "requests_per_s": round(rate),
                       "p99_ms": round(p99, 3), "cpu_ns_per_request": round(cpu)}
                if config != "none":
                    for figure, name in enumerate(self.FIGURES):
                        of_medians, quartiles = self.ratio(config, "none", pipeline, figure)
                        row[f"{name}_ratio"] = round(of_medians, 4)
                        for part, q in zip(("q1", "median", "q3"), quartiles):
                            row[f"{name}_paired_{part}"] = round(q, 4)
                    row["rounds"] = len(self.rounds(config, pipeline))
                result.append(row)
        return result

    def paired_median(self, config, pipeline, name):
        if config not in self.configurations():
            return "?"
        _, quartiles = self.ratio(config, "none", pipeline, self.FIGURES.index(name))
        return f"{quartiles[1]:.4f}"


class Programs:
    """Run time and runs of BPF programs, summed by name and phase of the load."""

    def __init__(self):
        self.ns = {}    # (name, phase) -> ns
        self.runs = {}  # (name, phase) -> runs

    def add(self, name, phase, ns, runs):
        self.ns[name, phase] = self.ns.get((name, phase), 0) + ns
        self.runs[name, phase] = self.runs.get((name, phase), 0) + runs

    def names(self):
        return list(dict.fromkeys(name for name, _ in self.ns))

    def _cell(self, name, phase):
        if (name, phase) not in self.runs:
            return f"{'-':>8}   {'':9}"
        runs = self.runs[name, phase]
        return f"{self.ns[name, phase] / runs:8.1f} x {runs:<9d}"

    def table(self):
        lines = [f"{'':16}" + "".join(f"  {phase:20}" for phase in PHASES)]
        for name in self.names():
            lines.append(f"{name:16}" + "".join("  " + self._cell(name, p) for p in PHASES))
        return [line.rstrip() for line in lines]

    def json(self):
        return [{"program": name, "phase": phase, "runs": self.runs[name, phase],
                 "ns_per_run": round(ns / self.runs[name, phase], 1)}
                for (name, phase), ns in self.ns.items()]

    def _mean(self, phase, wanted):
        keys = [key for key in self.ns if key[1] == phase and wanted(key[0])]
        runs = sum(self.runs[key] for key in keys)
        return sum(self.ns[key] for key in keys) / runs if runs else None

    def packet_ns(self, phase):
        """Mean ns per packet of the two socket programs, and without an empty program's cost."""
        cost = self._mean(phase, lambda n: n not in EMPTY_PROGRAM and
                          ("egress" in n or "ingress" in n))
        if cost is None:
            return None
        return cost, cost - (self._mean(phase, lambda n: n in EMPTY_PROGRAM) or 0)

    def protected_packet_ns(self, pipeline):
        """Over loopback half of the packets of a protected server's load are the client's, which is
        not protected: the mean is over both."""
        mean, other = (self.packet_ns(f"{who}-{pipeline}") for who in ("protected", "other"))
        if mean is None or other is None:
            return "?"
        return (f"{2 * mean[0] - other[0]:.0f} "
                f"({2 * mean[1] - other[1]:.0f} without the empty program)")

    def other_packet_ns(self, pipeline):
        cost = self.packet_ns(f"other-{pipeline}")
        return f"{cost[0]:.0f} ({cost[1]:.0f})" if cost else "?"
