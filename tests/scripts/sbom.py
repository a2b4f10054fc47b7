#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""sbom.py TARBALL PROGRAM TIME - print the software bill of materials of a release as SPDX 2.3 JSON.

It lists every file of the tarball with its digests and the licence of its SPDX line, and the libraries that PROGRAM is linked
with or loads when it needs them, with the versions of the Debian packages that are installed here. TIME is in seconds since the
epoch. The same arguments on the same packages give the same bytes.
"""
import hashlib
import json
import re
import subprocess
import sys
import tarfile
from datetime import datetime, timezone
from pathlib import PurePosixPath
from urllib.parse import quote

LICENCE = re.compile(rb"SPDX-License-Identifier: ([A-Za-z0-9.+-]+(?: (?:OR|AND|WITH) [A-Za-z0-9.+-]+)*)")
LIBRARY = re.compile(rb"(?<=\0)lib[a-z0-9+-]+\.so\.[0-9]+(?=\0)")
PROJECT = "BSD-2-Clause"  # of a file without an SPDX line: LICENSE
ROOT = "SPDXRef-cachewarden"
HEAD_LINES = 3  # an SPDX line is among the first, as lint checks


def command(*words):
    return subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout


def identifier(prefix, text):
    """SPDX allows letters, digits, dots and dashes; the digest keeps two names apart that differ in others."""
    return f"SPDXRef-{prefix}-{re.sub(r'[^A-Za-z0-9.-]', '-', text)}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def file_of(path, content):
    """How SPDX describes a file of the tarball."""
    found = LICENCE.search(b"\n".join(content.splitlines()[:HEAD_LINES]))
    stated = found.group(1).decode() if found else None
    return {
        "SPDXID": identifier("File", path),
        "fileName": f"./{path}",
        "checksums": [{"algorithm": "SHA1", "checksumValue": hashlib.sha1(content).hexdigest()},
                      {"algorithm": "SHA256", "checksumValue": hashlib.sha256(content).hexdigest()}],
        "licenseInfoInFiles": sorted(set(re.split(r" (?:OR|AND|WITH) ", stated))) if stated else ["NONE"],
        "licenseConcluded": f"({stated})" if stated and " " in stated else stated or PROJECT,
        "copyrightText": "NOASSERTION",
    }


def contents(tarball):
    """Its files: path without the first folder, and bytes. A link's content is what it points to."""
    with tarfile.open(tarball) as tar:
        for member in sorted(tar.getmembers(), key=lambda m: m.name):
            path = str(PurePosixPath(*PurePosixPath(member.name).parts[1:]))
            if member.isfile():
                yield path, tar.extractfile(member).read()
            elif member.issym():
                yield path, member.linkname.encode()


def loaded_by(program):
    """Names of libraries among its strings: those of linked(), and those that it loads when it needs them."""
    with open(program, "rb") as opened:
        return {name.decode() for name in LIBRARY.findall(opened.read())}


def linked(program):
    """Names of the libraries in its dynamic section."""
    text = command("readelf", "--dynamic", "--wide", program)
    return re.findall(r"\(NEEDED\).*\[(.+)\]", text)


def installed(libraries):
    """Name, version and architecture of the package of each, by library; those that are not installed are missing."""
    places = dict(re.findall(r"^\s*(\S+) .*=> (\S+)$", command("/sbin/ldconfig", "-p"), re.M)[::-1])  # the first one counts
    # /lib is a link to /usr/lib, and packages list either
    names = {path: library for library in libraries if library in places
             for path in (places[library], "/usr" + places[library], places[library].removeprefix("/usr"))}
    owned = subprocess.run(["dpkg-query", "--search", *names], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                           text=True, check=False).stdout.splitlines()
    owners = {names[path]: package for package, path in (line.rsplit(": ", 1) for line in owned)}
    shown = command("dpkg-query", "--show", "--showformat",
                    "${Package}:${Architecture} ${Package} ${Package} ${Version} ${Architecture}\n", *owners.values())
    packages = {key: words[2:] for words in map(str.split, shown.splitlines()) for key in words[:2]}
    return {library: packages[package] for library, package in owners.items()}


def library_of(library, package):
    described = {
        "SPDXID": identifier("Library", library),
        "name": library,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": "NOASSERTION",
        "copyrightText": "NOASSERTION",
    }
    if package:
        name, version, architecture = package
        described["versionInfo"] = version
        described["externalRefs"] = [{
            "referenceCategory": "PACKAGE-MANAGER",
            "referenceType": "purl",
            "referenceLocator": f"pkg:deb/debian/{quote(name)}@{quote(version)}?arch={architecture}",
        }]
    else:
        described["comment"] = "no package that is installed has it"
    return described


def relationship(one, kind, other):
    return {"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other}


def document(tarball, program, time):
    files = list(contents(tarball))
    described = [file_of(path, content) for path, content in files]
    needed = linked(program)
    loaded = sorted(loaded_by(program) - set(needed))
    packages = installed([*needed, *loaded])
    libraries = {name: library_of(name, packages.get(name)) for name in [*sorted(needed), *loaded]}
    digests = sorted(f["checksums"][0]["checksumValue"] for f in described)
    with open(tarball, "rb") as opened:
        sha256 = hashlib.sha256(opened.read()).hexdigest()
    name = PurePosixPath(tarball).name
    release = name.removesuffix(".tar.gz")
    project = {
        "SPDXID": ROOT,
        "name": "cachewarden",
        "versionInfo": release.removeprefix("cachewarden-"),
        "packageFileName": name,
        "checksums": [{"algorithm": "SHA256", "checksumValue": sha256}],
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": True,
        "packageVerificationCode": {
            "packageVerificationCodeValue": hashlib.sha1("".join(digests).encode()).hexdigest()},
        "licenseConcluded": f"{PROJECT} AND (GPL-2.0-only OR {PROJECT})",
        "licenseDeclared": f"{PROJECT} AND (GPL-2.0-only OR {PROJECT})",
        "licenseInfoFromFiles": sorted({l for f in described for l in f["licenseInfoInFiles"]} - {"NONE"}),
        "copyrightText": "Copyright (c) 2026 the cachewarden authors",
        "hasFiles": [f["SPDXID"] for f in described],
    }
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": release,
        "documentNamespace": f"https://spdx.org/spdxdocs/{release}-{sha256}",
        "creationInfo": {
            "created": datetime.fromtimestamp(time, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "creators": ["Tool: cachewarden-sbom"]},
        "documentDescribes": [ROOT],
        "packages": [project, *libraries.values()],
        "files": described,
        "relationships": [
            relationship("SPDXRef-DOCUMENT", "DESCRIBES", ROOT),
            *(relationship(ROOT, "DYNAMIC_LINK", libraries[n]["SPDXID"]) for n in sorted(needed)),
            *(relationship(libraries[n]["SPDXID"], "RUNTIME_DEPENDENCY_OF", ROOT) for n in loaded),
        ],
    }


def main():
    if len(sys.argv) != 4 or not sys.argv[3].isdigit():
        sys.exit("usage: sbom.py TARBALL PROGRAM SECONDS")
    print(json.dumps(document(sys.argv[1], sys.argv[2], int(sys.argv[3])), indent=1))


main()
