#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Measure what the monitor costs and how fast an alert comes: `make bench`, as root.

Parts, all of them unless BENCH_ONLY names some (comma-separated):

  compare   a. redis-benchmark --tls against a scratch server: unmonitored, under cachewarden, under
               auditd rules, and under uprobes on SSL_read and SSL_write. Paired and interleaved, in a
               new order each round.
  programs  b. Nanoseconds per run of each of cachewarden's BPF programs, by the kernel's statistics.
  latency   c. From a process_vm_readv on the server to the alert's line.
  sweeps    d. Duration of a sweep by the monitor's own clock: on this host as it is, and with 2,000
               more tasks of 10 open files each.
  flood     e. Floods of attempts, by one process and by as many processes as attempts, each in a
               session of its own or all in one: what the monitor spends, and whether every attempt is
               counted.
  evidence  f. The evidence log on the disk of build/: 20,000 events a second for BENCH_EVIDENCE_SECONDS
               (20), what of them was lost, and how soon the severe ones were signed; a log of
               1,000,000 such entries opened, and verified; an alert's line while every sync of the
               disk takes a second.

A run takes about ten minutes, and 4 GB of disk. Other settings: BENCH_ROUNDS (7), BENCH_SECONDS (2, per run),
BENCH_SAMPLES (300, alerts), BENCH_AGAINST=FILE (another build of cachewarden, measured in parts a and
b beside this one).

Nothing here passes or fails: timing on a shared machine decides no test. The tables go to standard
output, the figures to build/bench/result.json.
"""
import contextlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import figures
import scratch
from scratch import BenchError, Monitor, Server, note, output_of, progress

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
MONITOR = BUILD / "cachewarden"
PARTS = ("compare", "programs", "latency", "sweeps", "flood", "evidence")
PIPELINES = (1, 16)
FLOODS = (  # title, kind of tests/triggers/flood.c, attempts
    ("1,000,000 reads by one process", "loop", 1000000),
    ("10,000 processes of one session, one read each", "actors", 10000),
    ("10,000 sessions, one read each", "sessions", 10000),
)


class Bench:
    def __init__(self, work):
        self.work = work
        self.rounds = int(os.environ.get("BENCH_ROUNDS") or 7)
        self.seconds = float(os.environ.get("BENCH_SECONDS") or 2)
        self.samples = int(os.environ.get("BENCH_SAMPLES") or 300)
        self.against = os.environ.get("BENCH_AGAINST")
        self.requests = {}  # pipeline -> requests that take `seconds`
        self.runs = figures.Runs()
        self.programs = figures.Programs()
        self.against_programs = figures.Programs()
        self.latency = {}
        self.sweep_lines = {}  # "as_is" or "crowd" -> (text, average in ms)
        self.floods = []
        self.evidence = {}  # what of it was measured -> {figure: value}

    # --- a. against an unmonitored server, and against others ---

    def calibrate(self, server):
        """Finds by a short try how many requests take the measuring time."""
        for pipeline in PIPELINES:
            server.load(pipeline, 10000 * pipeline)
            rate, _ = server.load(pipeline, 20000 * pipeline)
            self.requests[pipeline] = int(rate * self.seconds)

    def measure_run(self, round_nr, config, server):
        for pipeline in PIPELINES:
            requests = self.requests[pipeline]
            server.load(pipeline, requests // 10)
            before = scratch.cpu_ns(server.pid)
            rate, p99 = server.load(pipeline, requests)
            cpu = scratch.cpu_ns(server.pid) - before
            self.runs.add(round_nr, config, pipeline, rate, p99, cpu / requests)

    def run_none(self, round_nr, server):
        self.measure_run(round_nr, "none", server)

    def run_cachewarden(self, round_nr, server):
        with Monitor.started(self.work, MONITOR):
            self.measure_run(round_nr, "cachewarden", server)

    def run_against(self, round_nr, server):
        with Monitor.started(self.work, self.against):
            self.measure_run(round_nr, "against", server)

    def run_auditd(self, round_nr, _server):
        with scratch.Audit.audited_server(self.work, round_nr == 1) as audited:
            self.measure_run(round_nr, "auditd", audited)

    def run_uprobes(self, round_nr, server):
        with scratch.tls_uprobes(self.work, server.pid) as ready:
            if ready:
                self.measure_run(round_nr, "uprobes", server)

    def measure_compare(self):
        configs = ["none", "cachewarden"]
        with contextlib.ExitStack() as stack:
            if self.against:
                configs.append("against")
            else:
                if scratch.Audit.possible():
                    configs.append("auditd")
                    stack.enter_context(scratch.Audit.idle())
                if scratch.uprobes_possible():
                    configs.append("uprobes")
            for round_nr in range(1, self.rounds + 1):
                with Server.started(self.work) as server:
                    if not self.requests:
                        self.calibrate(server)
                    for config in random.sample(configs, len(configs)):
                        progress(f"round {round_nr} of {self.rounds}: {config}")
                        getattr(self, f"run_{config}")(round_nr, server)

    # --- b. BPF programs ---

    def load_phases(self, programs, ids, names, protected, other):
        """Loads the protected server, then the other one, and adds what the programs ran."""
        for phase in figures.PHASES:
            who, pipeline = phase.split("-")
            server = protected if who == "protected" else other
            before = statistics_of(ids)
            server.load(int(pipeline), self.requests[int(pipeline)])
            after = statistics_of(ids)
            for prog, (name, ns, runs) in after.items():
                _, ns_before, runs_before = before.get(prog, ("", 0, 0))
                if runs > runs_before:
                    programs.add(names.get(prog, name), phase, ns - ns_before, runs - runs_before)

    def measure_programs(self):
        """The empty programs run alone, before the monitor: the first program on a packet pays for
        cold caches."""
        unprotected = self.work / "cacheserver"  # a name that is not monitored
        shutil.copy(shutil.which("redis-server"), unprotected)
        with contextlib.ExitStack() as stack:
            protected = stack.enter_context(Server.started(self.work))
            other = stack.enter_context(Server.started(self.work, unprotected))
            if not self.requests:
                self.calibrate(protected)
            group = stack.enter_context(scratch.cgroup2(self.work))
            stack.enter_context(scratch.bpf_statistics())
            with scratch.started([BUILD / "bench/floor", group], stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE, text=True) as floor:
                ids = [int(word) for word in floor.stdout.readline().split()]
                if not ids:
                    note("programs: the empty programs did not load: no floor")
                names = dict(zip(ids, figures.EMPTY_PROGRAM))
                self.load_phases(self.programs, ids, names, protected, other)
            for binary, programs in self.monitors_in_turn():
                with Monitor.started(self.work, binary) as monitor:
                    self.load_phases(programs, monitor.program_ids(), {}, protected, other)

    def monitors_in_turn(self):
        """This build once; with another build to compare, both in turn, a pair for each round."""
        ours = [(MONITOR, self.programs)]
        if not self.against:
            return ours
        pair = ours + [(self.against, self.against_programs)]
        return [m for i in range(self.rounds) for m in (pair if i % 2 == 0 else pair[::-1])]

    # --- c. latency ---

    def latency_of(self, samples, *arguments, **environment):
        with Server.started(self.work) as server:
            done = subprocess.run([BUILD / "bench/latency", MONITOR, str(server.pid), str(samples),
                                   *arguments], text=True, stdout=subprocess.PIPE, check=False,
                                  env=os.environ | environment)
        if done.returncode:
            note("latency: more than half of the alerts never came")
        return figures.of_line(done.stdout)

    def measure_latency(self):
        self.latency = self.latency_of(self.samples)

    # --- d. sweeps ---

    def sweeps_for(self, seconds):
        """One sweep a second; returns the monitor's summary and the average in ms."""
        with Monitor.started(self.work, MONITOR, "--sweep", "1") as monitor:
            time.sleep(seconds)
            tasks = len(output_of("ps", "-eL", "--no-headers").splitlines())
        found = re.search(r"^cachewarden: sweeps: (\d+), \D*([\d.]+) ms.*?([\d.]+) ms$",
                          monitor.err.read_text(), re.MULTILINE)
        if not found:
            return "none", None
        count, average, longest = found.groups()
        return (f"{count}, {average} ms on average, the longest {longest} ms; {tasks} tasks",
                float(average))

    def measure_sweeps(self):
        with Server.started(self.work):
            self.sweep_lines["as_is"] = self.sweeps_for(10)
            with scratch.started([BUILD / "bench/crowd", "2000", "10"], stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE, text=True) as crowd:
                if crowd.stdout.readline() == "ready\n":
                    self.sweep_lines["crowd"] = self.sweeps_for(10)
                else:
                    note("sweeps: the crowd of tasks did not start")

    # --- e. floods ---

    def flood(self, server, kind, attempts):
        with Monitor.started(self.work, MONITOR) as monitor:
            before = scratch.cpu_ns(monitor.pid)
            did = re.search(r'"result": *(\d+)', output_of(
                BUILD / "triggers/flood", str(server.pid), kind, str(attempts)))
            time.sleep(3)
            cpu = scratch.cpu_ns(monitor.pid) - before
            peak = monitor.peak_kib()
        err = monitor.err.read_text()
        ended = re.search(r"^cachewarden: ended:.*?(\d+) events?.*?(\d+) dropped", err, re.MULTILINE)
        incidents = re.search(r"^cachewarden: incidents: (\d+)", err, re.MULTILINE)
        if not ended or not incidents:
            return f"the monitor ended without its summary: {scratch.last_lines(monitor.err, 1)}"
        lines = len(monitor.out.read_text().splitlines())
        return (f"{did.group(1) if did else 0} done, {ended.group(1)} counted, "
                f"{ended.group(2)} dropped; {incidents.group(1)} incidents, {lines} lines; "
                f"monitor: {cpu / 1e9:.2f} s CPU, {peak} KiB at most")

    def measure_flood(self):
        with Server.started(self.work) as server:
            for title, kind, attempts in FLOODS:
                self.floods.append(f"{title}: {self.flood(server, kind, attempts)}")

    # --- f. evidence ---

    def evidence_of(self, *arguments):
        return figures.of_line(output_of(BUILD / "bench/evidence", *arguments))

    def measure_evidence(self):
        seconds = os.environ.get("BENCH_EVIDENCE_SECONDS") or "20"
        with scratch.folder_on_disk(BUILD / "bench") as disk:
            self.evidence["write"] = self.evidence_of("write", disk / "rate", "20000", seconds)
            shutil.rmtree(disk / "rate")
            self.evidence["grow"] = self.evidence_of("grow", disk / "million", "1000000")
            self.evidence["open"] = self.evidence_of("open", disk / "million")
            self.evidence["verify"] = scratch.time_of(MONITOR, "evidence", "verify", disk / "million")
            fault = disk / "fault"
            fault.write_text("slow 1000\n")
            self.evidence["slow_disk"] = self.latency_of(
                self.samples, "--evidence", disk / "slow", SYNC_FAULT=str(fault),
                LD_PRELOAD=str(BUILD / "triggers/sync_fault.so"))

    # --- the report ---

    def sweep_text(self, host):
        return self.sweep_lines.get(host, ("none", None))[0]

    def sweep_ms(self, host):
        return self.sweep_lines.get(host, ("none", None))[1]

    def report_compare(self):
        print(f"\na. GET of 100 bytes, TLS, {scratch.CLIENTS} clients, {self.rounds} rounds of "
              f"{self.seconds:g} s; ratio to 'none': of medians (q1 median q3 of the rounds' own)")
        print(*self.runs.table(), *self.runs.against_table(), sep="\n")

    def report_programs(self):
        print("\nb. ns per run x runs, by kernel.bpf_stats_enabled; (empty_*) is a program that does "
              "nothing")
        print(*self.programs.table(), sep="\n")
        if self.against:
            print(f"\n   the same of {self.against}", *self.against_programs.table(), sep="\n")

    def report_latency(self):
        print("\nc. process_vm_readv to alert line:",
              " ".join(f"{k}={v}" for k, v in self.latency.items()) or "none")

    def report_sweeps(self):
        print(f"\nd. sweeps of this host as it is: {self.sweep_text('as_is')}\n"
              f"   with 2,000 tasks of 10 files each beside: {self.sweep_text('crowd')}")

    def report_flood(self):
        print("\ne. " + "\n   ".join(self.floods))

    def report_evidence(self):
        print("\nf. evidence log")
        for what, values in self.evidence.items():
            print(f"   {what}:", " ".join(f"{k}={v}" for k, v in values.items()) or "none")

    def aims(self):
        throughput, cpu = (", ".join(self.runs.paired_median("cachewarden", p, name)
                                     for p in PIPELINES) for name in ("throughput", "cpu"))
        protected = ", ".join(self.programs.protected_packet_ns(p) for p in PIPELINES)
        return (f"aimed at, got (pipeline 1, 16): throughput >= 0.98: {throughput}; "
                f"CPU/request <= 1.025: {cpu}; protected packet <= 120 ns: {protected}; "
                f"other packet <= 30 ns: {self.programs.other_packet_ns(16)}; "
                f"alert < 1 ms: {self.latency.get('median_us', '?')} us; "
                f"sweep of 2,000 tasks with 20,000 files < 50 ms: {self.sweep_ms('crowd') or '?'}")

    def write_result(self):
        (BUILD / "bench/result.json").write_text(json.dumps({
            "kernel": os.uname().release, "cpus": os.cpu_count(), "rounds": self.rounds,
            "seconds": self.seconds, "compare": self.runs.json(),
            "programs": self.programs.json(),
            "sweep_ms": {host: self.sweep_ms(host) for host in ("as_is", "crowd")},
            "latency": self.latency, "evidence": self.evidence}, indent=1) + "\n")


def statistics_of(ids):
    """{id: (name, run time in ns, runs)} of BPF programs by the kernel's statistics."""
    result = {}
    for prog in ids:
        text = output_of("bpftool", "-j", "prog", "show", "id", str(prog))
        with contextlib.suppress(ValueError):
            info = json.loads(text)
            result[prog] = (info.get("name", "-"), info.get("run_time_ns", 0),
                            info.get("run_cnt", 0))
    return result


def selected_parts():
    wanted = os.environ.get("BENCH_ONLY")
    if not wanted:
        return PARTS
    unknown = set(wanted.split(",")) - set(PARTS)
    if unknown:
        raise BenchError(f"no part {', '.join(sorted(unknown))} (there are: {', '.join(PARTS)})")
    return tuple(part for part in PARTS if part in wanted.split(","))


def run():
    parts = selected_parts()
    if os.geteuid() != 0:
        raise BenchError("needs root: BPF, audit and other processes' memory")
    for binary in (MONITOR, BUILD / "bench/floor"):
        if not binary.exists():
            raise BenchError(f"{binary} is not built: make bench")
    with scratch.work_folder() as work:
        bench = Bench(work)
        redis = re.search(r"v=\S+", output_of("redis-server", "--version"))
        print(f"host: {os.uname().release}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.2f}; "
              f"redis {redis.group(0) if redis else '?'}")
        for part in parts:
            progress(f"part {part}")
            getattr(bench, f"measure_{part}")()
            getattr(bench, f"report_{part}")()
            sys.stdout.flush()
        print()
        for text in scratch.notes:
            print("note:", text)
        if parts == PARTS:
            bench.write_result()
            print(bench.aims())


def main():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # an exception, so that every context manager puts back what it changed
        signal.signal(number, lambda n, _frame: sys.exit(128 + n))
    try:
        run()
    except BenchError as error:
        sys.exit(f"bench: {error}")


main()
