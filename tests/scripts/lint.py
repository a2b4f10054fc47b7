#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Check what no compiler checks. Prints problems only; exits with 1 if there is any.

Each check is a function of CHECKS, below. They look at the files that git tracks or would add.
"""
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

# Folders of userspace/, lowest first. An include points to the same folder or to one on a lower line;
# folders on one line do not include each other.
LAYERS = (
    ("base",),
    ("model",),
    ("policy",),
    ("sensor", "report"),
    ("evidence",),
    ("attest",),
    ("monitor",),
    ("validate",),
    ("cmd",),
)
LAYER = {folder: i for i, folders in enumerate(LAYERS) for folder in folders}
SKELETON_USER = "userspace/sensor/loader.c"  # the only file that includes *.skel.h
TOP = set("bpf userspace include tests vmlinux docs build Makefile README.md NEWS.md SECURITY.md "
          "LICENSE compile_commands.json".split())
LINES_MAX = 600  # of a file in userspace/
# Judged without I/O, as the model: the checks of validate and what they stand on.
PURE = tuple("userspace/validate/" + name for name in
             ("check", "hello.", "profile", "verdict.", "facts.h"))
IO_HEADER = re.compile(r"<(bpf/|unistd\.h|fcntl\.h|sys/(?!queue\.h))")
IO_CALL = re.compile(r"(?<![>.\w])(f?open(at)?|f?printf|puts|fread|fwrite|fgets|getline|read|write)\(")
NAMED_PATH = re.compile(r"`((?:bpf|lib|include|tls|userspace|base|model|policy|sensor|report|evidence|attest|monitor|"
                        r"validate|cmd|tests|docs)/[a-z0-9_./-]+?):?[` ]")
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"][^>"]+[>"])', re.MULTILINE)

problems = []


def problem(text):
    problems.append(text)
    print(f"lint: {text}")


def output_of(*command):
    """Exit status and standard output of a command."""
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False)
    return done.returncode, done.stdout


class Files:
    """Text of the files of this tree, read once."""

    def __init__(self):
        listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], check=True,
                                stdout=subprocess.PIPE, text=True).stdout
        self.text = {}
        for path in sorted(filter(os.path.isfile, listed.split("\0"))):
            self.text[path] = Path(path).read_text(errors="surrogateescape")

    def matching(self, *suffixes, below=""):
        return [path for path in self.text if path.startswith(below) and path.endswith(suffixes)]

    def scripts(self):
        return [path for path, text in self.text.items()
                if re.match(r"#!.*\b(ba)?sh\n", text)]

    def includes(self, path):
        """Included names with their quotes or angle brackets."""
        return INCLUDE.findall(self.text[path])


def check_licences(files):
    for path in files.matching(".c", ".h", ".sh", ".py", "Makefile"):
        kernel = path.startswith(("bpf/", "include/", "vmlinux/"))
        want = "GPL-2.0-only OR BSD-2-Clause" if kernel else "BSD-2-Clause"
        head = "\n".join(files.text[path].splitlines()[:3])
        if not re.search(rf"SPDX-License-Identifier: {re.escape(want)}( \*/)?$", head, re.MULTILINE):
            problem(f"{path}: no 'SPDX-License-Identifier: {want}' in its first three lines")


def check_layers(files):
    for path in files.matching(".c", ".h", below="userspace/"):
        folder = path.split("/")[1]
        if folder not in LAYER:
            problem(f"{path}: not in a folder that has a layer ({', '.join(LAYER)})")
            continue
        for include in files.includes(path):
            target = include[1:-1]
            if target.endswith(".skel.h"):
                if path != SKELETON_USER:
                    problem(f"{path}: includes {target}; only {SKELETON_USER} may")
            elif include[0] == '"' and f"userspace/{target}" in files.text:
                other = target.split("/")[0]
                if other != folder and LAYER.get(other, 99) >= LAYER[folder]:
                    problem(f"{path}: includes {target}, which is not in a lower layer")
            elif folder == "base" and f"include/{target}" in files.text:
                problem(f"{path}: base/ knows nothing of the product, but this includes {target}")


def check_model(files):
    """The model, and what is PURE, does no I/O and knows no BPF: it is tested without root and without a clock."""
    for path in files.matching(".c", ".h", below=("userspace/model/", *PURE)):
        for include in filter(IO_HEADER.match, files.includes(path)):
            problem(f"{path}: what is pure does no I/O and knows no BPF, but this includes {include}")
        for number, line in enumerate(files.text[path].splitlines(), 1):
            if IO_CALL.search(line):
                problem(f"{path}:{number}: what is pure does no I/O: {line.strip()}")


def cycles(graph):
    """Strongly connected components of more than one node (Tarjan)."""
    index, low, stack, found = {}, {}, [], []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        for target in graph[node]:
            if target not in index:
                visit(target)
                low[node] = min(low[node], low[target])
            elif target in stack:
                low[node] = min(low[node], index[target])
        if low[node] == index[node]:
            component = stack[stack.index(node):]
            del stack[stack.index(node):]
            if len(component) > 1:
                found.append(sorted(component))

    for node in graph:
        if node not in index:
            visit(node)
    return found


def check_cycles(files):
    """No cycle among the includes; a module of userspace/ is its .c and .h together."""
    for root, below in (("userspace/", "userspace/"), ("bpf/", "bpf/lib/")):
        graph = {}
        for path in files.matching(".c", ".h", below=below):
            targets = (root + include[1:-1] for include in files.includes(path)
                       if root + include[1:-1] in files.text)
            module = os.path.splitext(path)[0]
            graph.setdefault(module, set()).update(os.path.splitext(t)[0] for t in targets)
        for component in cycles(graph):
            edges = [f"{a} -> {b}" for a in component for b in sorted(graph[a]) if b in component and b != a]
            problem(f"{below}: includes form a cycle: {', '.join(edges)}")


def check_options(files):
    """README.md names every option that a command has."""
    for path in files.matching(".c", ".h", below="userspace/cmd/"):
        for option in re.findall(r'\{[\s\\]*"(--[a-z-]+)",', files.text[path]):
            if not re.search(rf"`[^`]*{option}\b[^`]*`", files.text["README.md"]):
                problem(f"README.md: does not name {option} of {path}")


def check_length(files):
    for path in files.matching(".c", ".h", below="userspace/"):
        lines = files.text[path].count("\n")
        if lines > LINES_MAX:
            problem(f"{path}: {lines} lines; split it (at most {LINES_MAX})")


def check_top(_files):
    for name in sorted(os.listdir(".")):
        if name[0] != "." and name not in TOP:
            problem(f"{name}: not a name for the top level ({', '.join(sorted(TOP))} and dot-files)")


def package_hosts():
    """Hosts that the package managers of this machine ask."""
    places = [Path("/etc/apt/sources.list"), *Path("/etc/apt/sources.list.d").glob("*"),
              Path("/etc/npmrc"), Path.home() / ".npmrc"]
    text = "\n".join(p.read_text(errors="replace") for p in places if p.is_file())
    text += "\n".join(os.environ.get(name, "") for name in
                      ("npm_config_registry", "NPM_CONFIG_REGISTRY"))
    return {url.split("/")[-1].split("@")[-1] for url in re.findall(r"https?://[^/\s]+", text)}


def check_machine(files):
    """Nothing in the tree names a path or a package host of the machine it was written on."""
    words = ["/wor[k]/", *map(re.escape, package_hosts())]
    pattern = re.compile("|".join(words))
    for path, text in files.text.items():
        for number, line in enumerate(text.splitlines(), 1):
            if pattern.search(line):
                problem(f"{path}:{number}: a path or package host of one machine: {line.strip()}")


def tool(name):
    if shutil.which(name):
        return True
    print(f"lint: {name} is not installed: not run", file=sys.stderr)
    return False


def check_format(files):
    sources = files.matching(".c", ".h")
    if not tool("clang-format") or output_of("clang-format", "--dry-run", "-Werror", *sources)[0] == 0:
        return
    for path in sources:
        if output_of("clang-format", "--dry-run", "-Werror", path)[0]:
            problem(f"{path}: not formatted; run: clang-format -i {path}")


def check_shell(files):
    if tool("shellcheck"):
        status, text = output_of("shellcheck", "--format=gcc", *files.scripts())
        if status:
            problem("shellcheck:\n" + text.rstrip())


def check_documents(_files):
    if not os.access("build/docgen", os.X_OK):
        problem("build/docgen is not built: generated documents not checked; run: make lint")
        return
    for check in (("build/docgen",), ("tests/bench/exact.py", "--docs")):
        status, text = output_of(*check, "--check")
        if status:
            problem("generated documents:\n" + text.rstrip())


def check_paths(files):
    """A path that a document names in backticks exists, from the top, from bpf/ or from userspace/."""
    for document in ("README.md", "NEWS.md", "SECURITY.md", *files.matching(".md", below="docs/")):
        for path in sorted(set(NAMED_PATH.findall(files.text.get(document, "")))):
            if not any(os.path.exists(root + path) for root in ("", "bpf/", "userspace/")):
                problem(f"{document}: names {path}, which does not exist")


CHECKS = (check_licences, check_layers, check_model, check_cycles, check_options, check_length, check_top,
          check_machine, check_format, check_shell, check_documents, check_paths)


def main():
    os.chdir(Path(__file__).resolve().parents[2])
    if output_of("git", "rev-parse", "--git-dir")[0]:
        sys.exit("lint: not a git checkout: no list of files to look at")
    files = Files()
    for check in CHECKS:
        check(files)
    sys.exit(bool(problems))


main()
