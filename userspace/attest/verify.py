#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""verify.py [DIRECTORY] - checks an evidence bundle: digests, inclusion proofs, and by openssl the signatures.

Needs Python 3 and openssl, nothing else. Exits with 0 if everything fits, with 1 if not; it then says what and where.
What it cannot know: whether vkey is the key of the log. Compare that with a copy that was kept elsewhere.
"""
import base64
import hashlib
import json
import os
import subprocess
import sys
import tempfile

DER = bytes.fromhex("302a300506032b6570032100")  # the beginning of an Ed25519 public key
problems = []


def show(text):
    """Prints one line. Names and reasons of a bundle are anybody's: they must not look like another line."""
    print("".join(c if " " <= c <= "~" else ascii(c)[1:-1] for c in text))


def problem(text):
    problems.append(text)
    show("verify.py: " + text)


def read(name):
    with open(name, "rb") as file:
        return file.read()


def check_manifest():
    """Every file has the digest that the manifest says, and no file is missing or too many."""
    listed = {"manifest.sha256"}
    for number, line in enumerate(read("manifest.sha256").split(b"\n")[:-1], 1):
        digest, _, name = line.decode("ascii", "replace").partition("  ")
        listed.add(name)
        if not os.path.isfile(name) or "/" in name:
            problem(f"manifest.sha256, line {number}: there is no file {name!r}")
        elif hashlib.sha256(read(name)).hexdigest() != digest:
            problem(f"{name}: its digest is not the one in manifest.sha256, line {number}")
    if not read("manifest.sha256").endswith(b"\n"):
        problem("manifest.sha256: its last line has no end")
    for name in sorted(set(os.listdir(".")) - listed):
        problem(f"{name}: is not in manifest.sha256")


def parse_key(vkey):
    """Name, key id and key of NAME+ID+BASE64."""
    name, number, text = vkey.split("+", 2)
    raw = base64.b64decode(text, validate=True)
    key = raw[1:]
    real = hashlib.sha256(name.encode() + b"\n\x01" + key).digest()[:4]
    if raw[:1] != b"\x01" or len(key) != 32 or real.hex() != number:
        raise ValueError("the key id is not that of the key")
    return name, real, key


def signed_by(note, key):
    """The text of a signed note, if that key signed it; else None."""
    name, number, public = key
    text, _, signatures = note.rpartition("\n\n")
    text += "\n"
    for line in signatures.split("\n"):
        if not line.startswith("\u2014 " + name + " "):
            continue
        raw = base64.b64decode(line.rsplit(" ", 1)[1], validate=True)
        if raw[:4] != number:
            continue
        with tempfile.TemporaryDirectory() as place:
            for part, data in (("key", DER + public), ("text", text.encode()), ("sig", raw[4:])):
                with open(os.path.join(place, part), "wb") as file:
                    file.write(data)
            done = subprocess.run(["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", "key",
                                   "-rawin", "-in", "text", "-sigfile", "sig"], cwd=place, check=False,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if done.returncode == 0:
            return text
    return None


def check_signatures():
    """The identity signed the first key, each key the next one, the last one the checkpoint. Returns its size and root."""
    key = parse_key(read("vkey").decode().rstrip("\n"))
    origin, last = key[0], None
    for number, line in enumerate(read("keys.jsonl").decode().splitlines(), 1):
        step = json.loads(line)
        text = signed_by(step["note"], key)
        if text is None:
            raise ValueError(f"keys.jsonl, line {number} (entry {step['index']}): is not signed by the key before it")
        lines = text.split("\n")
        if lines[0] != origin or lines[1] != "delegation":
            raise ValueError(f"keys.jsonl, line {number}: is no delegation of this log")
        key, last = parse_key(lines[5]), step["index"]
    text = signed_by(read("checkpoint").decode(), key)
    if text is None or last is None:
        raise ValueError("checkpoint: is not signed by the last key in keys.jsonl")
    lines = text.split("\n")
    if lines[0] != origin or lines[3] != f"delegation {last}":
        raise ValueError("checkpoint: is of another log, or names another key")
    return int(lines[1]), base64.b64decode(lines[2], validate=True)


def fold(leaf, index, size, hashes):
    """The root that an inclusion proof leads to (RFC 9162, 2.1.3.2); None if it has the wrong length."""
    fn, sn, at = index, size - 1, leaf
    for step in hashes:
        if sn == 0:
            return None
        if fn & 1 or fn == sn:
            at = hashlib.sha256(b"\x01" + step + at).digest()
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            at = hashlib.sha256(b"\x01" + at + step).digest()
        fn, sn = fn >> 1, sn >> 1
    return at if sn == 0 else None


def check_entries(size, root):
    """Each entry is in the tree of the checkpoint, at its place. Returns the numbers of all."""
    entries = read("entries.jsonl").split(b"\n")[:-1]
    proofs = read("proofs.jsonl").split(b"\n")[:-1]
    numbers = set()
    if len(entries) != len(proofs):
        problem(f"entries.jsonl has {len(entries)} lines, proofs.jsonl {len(proofs)}")
    for number, (entry, line) in enumerate(zip(entries, proofs), 1):
        try:
            proof = json.loads(line)
            index = proof["index"]
            if type(index) is not int or index < 0:
                raise ValueError("its index is no number of an entry")
            hashes = [base64.b64decode(text, validate=True) for text in proof["hashes"]]
            fits = index < size and fold(hashlib.sha256(b"\x00" + entry).digest(), index, size, hashes) == root
        except (ValueError, KeyError, TypeError) as error:
            problem(f"proofs.jsonl, line {number}: is no proof: {error}")
            continue
        numbers.add(index)
        if not fits:
            problem(f"entries.jsonl, line {number} (entry {index}): is not in the log that the checkpoint was signed for")
    return numbers


def check_timeline(numbers):
    """Each item names an entry that is here."""
    for number, line in enumerate(read("timeline.jsonl").decode().splitlines(), 1):
        if json.loads(line)["entry"] not in numbers:
            problem(f"timeline.jsonl, line {number}: names an entry that is not in entries.jsonl")


def check_processes(numbers):
    """Each process is named by entries that are here."""
    for process in json.loads(read("proctree.json"))["processes"]:
        if not process["entries"] or not set(process["entries"]) <= numbers:
            problem(f"proctree.json: process {process['pid']} is of an entry that is not in entries.jsonl")


def check_blobs():
    """Each executable that an entry names is here, with that digest, or custody.json has the reason why it is not."""
    custody, named = json.loads(read("custody.json")), {}
    for number, line in enumerate(read("entries.jsonl").split(b"\n")[:-1], 1):
        entry = json.loads(line)
        digest = entry["record"].get("file", {}).get("blob") if entry["kind"] == "actor" else None
        if digest:
            named.setdefault(digest, number)
    files = {name[5:] for name in os.listdir(".") if name.startswith("blob-")}
    missing = custody["executables_missing"]
    for digest in sorted(files | set(named) | set(custody["executables"])):
        if digest not in files and digest in named and digest in missing and digest not in custody["executables"]:
            show(f"verify.py: note: blob-{digest} (entries.jsonl, line {named[digest]}) is not here. custody.json, "
                 f"which nothing proves, says why: {missing[digest]}")
        elif digest not in files:
            where = f"entries.jsonl, line {named[digest]} names it" if digest in named else "custody.json names it"
            problem(f"blob-{digest}: is missing: {where}")
        elif hashlib.sha256(read("blob-" + digest)).hexdigest() != digest:
            problem(f"blob-{digest}: its digest is not its name")
        elif digest not in named:
            problem(f"blob-{digest}: no entry names it")


def main():
    os.chdir(sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__)))
    size, root, numbers = 0, b"", set()
    try:
        check_manifest()
    except (OSError, ValueError) as error:
        problem(f"manifest.sha256: {error}")
    try:
        size, root = check_signatures()
    except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
        problem(f"signatures: {error}")
    if root:
        try:
            numbers = check_entries(size, root)
            check_timeline(numbers)
            check_processes(numbers)
            check_blobs()
        except (OSError, ValueError, KeyError, TypeError) as error:
            problem(f"entries: {error}")
    if problems or not numbers:
        print(f"verify.py: NOT VERIFIED: {len(problems)} problem(s)")
        return 1
    show(f"verified: {len(numbers)} entries of the log {read('vkey').decode().split('+')[0]}, of {size}")
    return 0


sys.exit(main())
