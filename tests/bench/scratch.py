# SPDX-License-Identifier: BSD-2-Clause
"""What a benchmark run starts and changes on the host: servers, monitors, audit rules, one sysctl.

Everything here is a context manager, so that the host is as before at the end, also after Ctrl-C.
"""
import contextlib
import csv
import os
import random
import re
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

CLIENTS = 20
SERVER_CPU, CLIENT_CPU = 0, 1


class BenchError(Exception):
    """The benchmark cannot go on; the message says why."""


notes = []  # what could not be measured, for the end of the report


def note(text):
    notes.append(text)
    progress(text)


def progress(text):
    os.write(2, f"bench: {text}\n".encode())


def await_true(condition, seconds):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= end:
            return False
        time.sleep(0.05)
    return True


def output_of(*command):
    """Standard output and error of a command; its exit status is ignored."""
    return subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          stdin=subprocess.DEVNULL, check=False).stdout


def on_cpu(cpu, *command):
    return ("taskset", "-c", str(cpu), *command) if os.cpu_count() >= 2 else command


@contextlib.contextmanager
def started(command, **options):
    """A child process that ends with the block: SIGTERM, then SIGKILL after 10 s."""
    process = subprocess.Popen(command, **options)
    try:
        yield process
    finally:
        stop(process)


def stop(process):
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def last_lines(path, count):
    return " ".join(path.read_text(errors="replace").splitlines()[-count:])


def cpu_ns(pid):
    """CPU time of a process, all its threads."""
    total = 0
    for path in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # a thread that has ended
            total += int(path.read_text().split()[0])
    return total


@contextlib.contextmanager
def work_folder():
    """A temporary folder with a certificate for 127.0.0.1."""
    with tempfile.TemporaryDirectory(prefix="bench.") as folder:
        made = subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
             "-addext", "subjectAltName=IP:127.0.0.1",
             "-keyout", f"{folder}/key.pem", "-out", f"{folder}/cert.pem"],
            stderr=subprocess.DEVNULL, check=False)
        if made.returncode:
            raise BenchError("openssl could not make a certificate")
        yield Path(folder)


@contextlib.contextmanager
def folder_on_disk(parent):
    """A temporary folder there: /tmp may be memory."""
    with tempfile.TemporaryDirectory(prefix="bench.", dir=parent) as folder:
        yield Path(folder)


def time_of(*command):
    """How long a command took, and its peak of memory."""
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return {"exit": process.returncode, "seconds": round(time.monotonic() - began, 2),
            "rss_kib": usage.ru_maxrss}


def free_port():
    while True:
        port = random.randrange(20000, 32000)
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)):
                return port


class Server:
    """A scratch Redis with TLS on a port of 127.0.0.1."""

    def __init__(self, work, process, port):
        self.pid, self.port = process.pid, port
        self._tls = ("--tls", "--cacert", str(work / "cert.pem"), "-p", str(port))

    @classmethod
    @contextlib.contextmanager
    def started(cls, work, program="redis-server"):
        port = free_port()
        command = on_cpu(SERVER_CPU, program, "--port", "0", "--tls-port", str(port),
                         "--bind", "127.0.0.1", "--tls-cert-file", work / "cert.pem",
                         "--tls-key-file", work / "key.pem",
                         "--tls-ca-cert-file", work / "cert.pem", "--tls-auth-clients", "no",
                         "--save", "", "--appendonly", "no", "--dir", work, "--daemonize", "no")
        log = work / "server.log"
        with log.open("w") as out, started(command, stdout=out, stderr=out) as process:
            server = cls(work, process, port)
            if not await_true(lambda: server._cli("ping") == "PONG", 10):
                raise BenchError(f"the scratch server did not start: {last_lines(log, 3)}")
            server.load(1, 1, "set")
            yield server

    def _cli(self, *command):
        return output_of("redis-cli", *self._tls, *command).strip()

    def load(self, pipeline, requests, command="get"):
        """Runs redis-benchmark. Returns requests per second and p99 latency in ms."""
        text = subprocess.run(
            on_cpu(CLIENT_CPU, "redis-benchmark", *self._tls, "-c", str(CLIENTS), "-d", "100",
                   "-P", str(pipeline), "-n", str(requests), "-t", command, "--csv"),
            text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False).stdout
        try:
            row = list(csv.reader(text.splitlines()))[-1]
            return float(row[1]), float(row[6])
        except (IndexError, ValueError):
            raise BenchError(f"redis-benchmark gave no rate: {text!r}") from None


class Monitor:
    """`cachewarden run`, ready; its standard error can be read after the block."""

    def __init__(self, process, out, err):
        self.process, self.pid, self.out, self.err = process, process.pid, out, err

    @classmethod
    @contextlib.contextmanager
    def started(cls, work, binary, *arguments):
        out, err = work / "monitor.json", work / "monitor.err"
        with out.open("w") as o, err.open("w") as e, started(
                [binary, "run", "--output", "json", *arguments], stdout=o, stderr=e) as process:
            monitor = cls(process, out, err)
            if not await_true(lambda: "\ncachewarden: watching" in "\n" + err.read_text(), 15):
                raise BenchError(f"cachewarden did not come up: {last_lines(err, 5)}")
            yield monitor

    def program_ids(self):
        """Ids of the BPF programs it holds, itself or through a link."""
        ids = set()
        for path in Path(f"/proc/{self.pid}/fdinfo").iterdir():
            with contextlib.suppress(FileNotFoundError):  # closed meanwhile
                ids.update(int(i) for i in re.findall(r"^prog_id:\s*(\d+)", path.read_text(),
                                                      re.MULTILINE))
        return sorted(ids - {0})

    def peak_kib(self):
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1])
        return 0


class Audit:
    """Audit rules that see what cachewarden's memory rules see, as far as audit can.

    The kernel gives a process its audit context when it is forked, if audit was ever on, and keeps it
    for good. So the server under audit is started with audit on; everything else here is forked under
    "task,never" and has none.
    """

    @staticmethod
    def possible():
        if not shutil.which("auditctl"):
            note("auditd: skipped, auditctl is not installed")
            return False
        status = output_of("auditctl", "-s")
        if "enabled" not in status:
            note("auditd: skipped, no audit in this kernel or container")
            return False
        if "enabled 0" not in status or output_of("auditctl", "-l").strip() != "No rules":
            note("auditd: skipped, this host is audited already and its rules are left alone")
            return False
        return True

    @staticmethod
    def _control(*arguments):
        return subprocess.run(["auditctl", *arguments], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, check=False).returncode

    @classmethod
    def quiet(cls):
        cls._control("-a", "task,never")

    @classmethod
    def off(cls):
        cls._control("-e", "0")
        cls._control("-D")

    @classmethod
    @contextlib.contextmanager
    def idle(cls):
        """Between the runs under audit: on, but no new process gets a context."""
        cls.quiet()
        try:
            yield
        finally:
            cls.off()
            note("auditd: the kernel now gives new processes an audit context until it is rebooted")

    @classmethod
    @contextlib.contextmanager
    def audited_server(cls, work, first_round):
        folder = work / "audit"
        folder.mkdir(mode=0o700, exist_ok=True)
        (folder / "auditd.conf").write_text("\n".join([
            f"log_file = {folder}/log", "log_format = RAW", "flush = INCREMENTAL_ASYNC", "freq = 50",
            "disk_full_action = IGNORE", "space_left_action = IGNORE",
            "admin_space_left_action = IGNORE", "disk_error_action = IGNORE",
            "space_left = 75", "admin_space_left = 50", ""]))
        cls._control("-D")
        refused = cls._control("-a", "always,exit", "-F", "arch=b64", "-S", "ptrace",
                               "-S", "process_vm_readv", "-S", "process_vm_writev")
        refused |= cls._control("-a", "always,exit", "-F", "arch=b64", "-S", "pidfd_getfd")
        if refused | cls._control("-e", "1"):
            note("auditd: some rules were refused")
        try:
            with started(["auditd", "-n", "-s", "nochange", "-c", folder],
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as daemon:
                up = await_true(lambda: f"\npid {daemon.pid}\n" in output_of("auditctl", "-s"), 5)
                if not up and first_round:
                    note("auditd: the daemon does not run here; its rules do, with no reader")
                with Server.started(work) as server:
                    cls._watch_proc(server.pid)
                    yield server
        finally:
            cls.off()
            cls.quiet()

    @classmethod
    def _watch_proc(cls, pid):
        # the server reads its own stat ten times a second
        if cls._control("-a", "always,exit", "-F", "arch=b64", "-S", "open", "-S", "openat",
                        "-S", "openat2", "-F", f"dir=/proc/{pid}", "-F", "perm=rw",
                        "-F", f"pid!={pid}"):
            note("auditd: no rule on /proc/PID")


@contextlib.contextmanager
def tls_uprobes(work, pid):
    """Uprobes on SSL_read and SSL_write, as TLS sniffers place them. Yields whether they attached."""
    maps = Path(f"/proc/{pid}/maps").read_text().splitlines()
    ssl = next(line.split()[5] for line in maps if "libssl" in line)
    script = (f'BEGIN {{ printf("ready\\n"); }} uprobe:{ssl}:SSL_write {{ @written = count(); }} '
              f'uprobe:{ssl}:SSL_read {{ @read = count(); }}')
    log = work / "sniffer.out"
    with log.open("w") as out, started(["bpftrace", "-B", "none", "-p", str(pid), "-e", script],
                                       stdout=out, stderr=out):
        ready = await_true(lambda: "ready" in log.read_text(), 20)
        if not ready:
            note(f"uprobes: bpftrace did not attach: {last_lines(log, 1)}")
        yield ready


def uprobes_possible():
    if not shutil.which("bpftrace"):
        note("uprobes: skipped, bpftrace is not installed")
    elif "libssl" not in output_of("ldd", shutil.which("redis-server")):
        note("uprobes: skipped, redis-server has no libssl to probe")
    else:
        return True
    return False


@contextlib.contextmanager
def bpf_statistics():
    """The kernel counts run time and runs of every BPF program."""
    setting = Path("/proc/sys/kernel/bpf_stats_enabled")
    before = setting.read_text()
    setting.write_text("1")
    try:
        yield
    finally:
        setting.write_text(before)


@contextlib.contextmanager
def cgroup2(work):
    """The mount point of the cgroup2 hierarchy; mounted for the block where there is none."""
    for line in Path("/proc/mounts").read_text().splitlines():
        if line.split()[2] == "cgroup2":
            yield line.split()[1]
            return
    folder = work / "cgroup2"
    folder.mkdir(exist_ok=True)
    if subprocess.run(["mount", "-t", "cgroup2", "none", folder], check=False).returncode:
        raise BenchError("no cgroup2 hierarchy, and none could be mounted")
    try:
        yield str(folder)
    finally:
        subprocess.run(["umount", folder], check=False)
