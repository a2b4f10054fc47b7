#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""dist-check.py [build] - whether `make dist` makes the same bytes twice, of what is committed, and an SBOM that is true of them.

With `build` it also builds the tarball in a directory of its own, and compares what that program prints with ours. Prints what is wrong
and exits with 1.
"""
import hashlib
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
problems = []


def check(good, text):
    if not good:
        problems.append(text)
        print(f"dist-check: {text}")


def run(*words, **more):
    return subprocess.run(list(map(str, words)), check=True, stdout=subprocess.PIPE, text=True, **more).stdout


def pack(out, **environment):
    """The files of a release, by name. Another time zone, language and umask change nothing."""
    run("sh", "-c", f"umask {environment.pop('UMASK')}; exec tests/scripts/dist.sh {out}", cwd=ROOT,
        env={**os.environ, **environment}, stderr=subprocess.DEVNULL)
    return {path.name: path.read_bytes() for path in out.iterdir()}


def check_tarball(name, content, scratch):
    path = scratch / name
    path.write_bytes(content)
    tracked = set(run("git", "ls-tree", "-r", "--name-only", "-z", "HEAD", cwd=ROOT).split("\0")) - {""}
    time = int(run("git", "log", "-1", "--format=%ct", cwd=ROOT))
    with tarfile.open(path) as tar:
        members = tar.getmembers()
        top = {m.name.split("/")[0] for m in members}
        check(len(top) == 1, f"the tarball has {sorted(top)} at its top")
        inside = {m.name.split("/", 1)[1] for m in members if not m.isdir()}
        check(inside == tracked, f"not what is committed: {sorted(inside ^ tracked)[:5]}")
        check({m.mtime for m in members} == {time}, "a file's time is not the commit's")
        check({m.uname for m in members} == {"root"} and not any(m.mode & 0o022 for m in members),
              "owner or mode of a file is this machine's")
        tar.extractall(scratch)
    return scratch / top.pop()


def check_sbom(document, tree, tarball):
    ids = [e["SPDXID"] for e in [document, *document["packages"], *document["files"]]]
    check(len(ids) == len(set(ids)), "an SPDXID is there twice")
    check(all(re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", i) for i in ids), "an SPDXID has other characters")
    for r in document["relationships"]:
        check(r["spdxElementId"] in ids and r["relatedSpdxElement"] in ids, f"about nothing: {r}")
    listed = {f["fileName"]: f for f in document["files"]}
    files = {f"./{p.relative_to(tree)}": p for p in tree.rglob("*") if p.is_file() and not p.is_symlink()}
    check(set(files) <= set(listed), f"not listed: {sorted(set(files) - set(listed))[:5]}")
    for name, path in files.items():
        content = path.read_bytes()
        stated = re.search(rb"SPDX-License-Identifier: (.+?)(?: \*/)?$", b"\n".join(content.splitlines()[:3]), re.M)
        entry = listed.get(name, {"checksums": [{}, {}]})
        check(entry["checksums"][0].get("checksumValue") == hashlib.sha1(content).hexdigest() and
              entry["checksums"][1].get("checksumValue") == hashlib.sha256(content).hexdigest(), f"digest of {name}")
        if stated and path.suffix in (".c", ".h", ".py", ".sh"):
            check(entry.get("licenseConcluded", "").strip("()") == stated.group(1).decode(), f"licence of {name}")
    packages = {p["name"]: p for p in document["packages"]}
    check(packages["cachewarden"]["checksums"][0]["checksumValue"] == hashlib.sha256(tarball).hexdigest(),
          "the SBOM is of another tarball")
    for library in re.findall(r"NEEDED +(\S+)", run("objdump", "-p", ROOT / "build/cachewarden")):
        check(library in packages, f"it is linked with {library}, which is not listed")
    for library in ("libbpf.so.1", "libssl.so.3", "libcurl.so.4", "libncursesw.so.6"):
        check(packages.get(library, {}).get("versionInfo"), f"no version of {library}")


def check_build(tree):
    """The tarball is all that a build needs."""
    run("make", "--no-print-directory", f"-j{os.cpu_count()}", "all", cwd=tree,
        env={k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL")})
    for words in (("version",), ("policy", "explain")):
        check(run(tree / "build/cachewarden", *words) == run(ROOT / "build/cachewarden", *words),
              f"its {' '.join(words)} prints something else")


def main():
    if run("git", "-C", ROOT, "rev-parse", "--is-inside-work-tree").strip() != "true":
        print("not a git checkout")
        sys.exit(3)
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        one = pack(scratch / "one", TZ="Asia/Tokyo", LC_ALL="C", UMASK="077")
        two = pack(scratch / "two", TZ="UTC", LC_ALL="C.UTF-8", UMASK="022")
        check(one == two and len(one) == 3, "two runs differ: " + ", ".join(n for n in one if one[n] != two.get(n)))
        for name, content in one.items():
            if name.endswith(".tar.gz"):
                tree, tarball = check_tarball(name, content, scratch), content
        for name, content in one.items():
            if name.endswith(".spdx.json"):
                check_sbom(json.loads(content), tree, tarball)
        if "build" in sys.argv[1:]:
            check_build(tree)
    sys.exit(bool(problems))


main()
