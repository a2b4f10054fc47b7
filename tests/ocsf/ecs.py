#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""ecs.py FILE - whether each line of a file is a document of the Elastic Common Schema 8.17.

FIELDS has the fields that we write, with the types of the schema's field reference; a field that is not there is either ours, below
"cachewarden", or a mistake. Prints what is wrong with the first ten lines that are and exits with 1.
"""
import json
import re
import sys
from ipaddress import ip_address

DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
EXPECTED = {  # event.type of each event.category
    "driver": {"change", "end", "info", "start"},
    "file": {"access", "change", "creation", "deletion", "info"},
    "host": {"access", "change", "end", "info", "start"},
    "intrusion_detection": {"allowed", "denied", "info"},
    "network": {"access", "allowed", "connection", "denied", "end", "info", "protocol", "start"},
    "process": {"access", "change", "end", "info", "start"},
}


def text(v):
    return isinstance(v, str) and v != ""


def number(v):
    return isinstance(v, int) and not isinstance(v, bool)


def date(v):
    return isinstance(v, str) and DATE.fullmatch(v)


def one_of(*values):
    return lambda v: v in values


def texts(v):
    return isinstance(v, list) and v and all(map(text, v))


def address(v):
    return text(v) and ip_address(v)


PROCESS = {"pid": number, "start": date, "name": text, "executable": text, "command_line": text, "user.id": text,
           "hash.sha256": text, "thread.id": number}
FIELDS = {
    "@timestamp": date,
    "ecs.version": one_of("8.17.0"),
    "message": text,
    "event.kind": one_of("alert", "event", "metric", "state"),
    "event.category": texts,
    "event.type": texts,
    "event.module": one_of("cachewarden"),
    "event.dataset": one_of("cachewarden.event", "cachewarden.incident", "cachewarden.conn", "cachewarden.heartbeat"),
    "event.id": text,
    "event.action": text,
    "event.reason": text,
    "event.outcome": one_of("success", "failure", "unknown"),
    "event.severity": one_of(1, 2, 3, 4, 5),
    "event.start": date,
    "event.end": date,
    "observer.vendor": text,
    "observer.product": text,
    "observer.type": text,
    "observer.version": text,
    "host.hostname": text,
    "host.id": text,
    "host.boot.id": text,
    "host.os.type": one_of("linux"),
    "host.os.kernel": text,
    "rule.id": text,
    "rule.name": text,
    "rule.description": text,
    "rule.ruleset": text,
    "threat.framework": text,
    "threat.technique.id": texts,
    "threat.technique.subtechnique.id": texts,
    "threat.technique.subtechnique.name": texts,
    "service.id": text,
    "service.name": text,
    "service.type": text,
    "container.id": text,
    "source.address": text,
    "source.ip": address,
    "source.port": number,
    "destination.address": text,
    "destination.ip": address,
    "destination.port": number,
    "network.type": one_of("ipv4", "ipv6"),
    "network.direction": one_of("ingress", "egress"),
    "network.transport": one_of("tcp", "udp"),
    "network.iana_number": text,
    "network.bytes": number,
    "tls.version": one_of("2", "3", "1.0", "1.1", "1.2", "1.3"),
    "tls.version_protocol": one_of("tls", "ssl"),
    "tls.cipher": text,
    "tls.established": one_of(True),
    "tls.client.server_name": text,
    **{f"process.{k}": v for k, v in PROCESS.items()},
    **{f"process.parent.{k}": v for k, v in PROCESS.items()},
}
ALWAYS = {"@timestamp", "ecs.version", "message", "event.kind", "event.category", "event.type", "event.dataset",
          "host.hostname"}


def fields(value, name=""):
    if isinstance(value, dict):
        for key, member in value.items():
            yield from fields(member, f"{name}.{key}" if name else key)
    else:
        yield name, value


def wrong_with(document):
    own = document.get("cachewarden")
    flat = dict(fields({k: v for k, v in document.items() if k != "cachewarden"}))
    if not isinstance(own, dict) or own.get("kind") != flat["event.dataset"].split(".")[1]:
        yield f"cachewarden.kind is not {flat['event.dataset']}"
    yield from (f"no {name}" for name in ALWAYS - set(flat))
    for name, value in flat.items():
        if name not in FIELDS:
            yield f"{name} is no field that is known here"
        elif not FIELDS[name](value):
            yield f"{name} cannot be {value!r}"
    categories, types = flat["event.category"], flat["event.type"]
    if len(set(categories)) < len(categories) or len(set(types)) < len(types):
        yield f"{categories} or {types} names one twice"
    for category in categories:
        if category not in EXPECTED:
            yield f"{category} is no category that is known here"
    for kind in types:
        if not any(kind in EXPECTED.get(c, ()) for c in categories):
            yield f"type {kind} is expected of none of {categories}"
    for category in categories:
        if not EXPECTED.get(category, set()) & set(types):
            yield f"none of {types} is expected of {category}"
    if "event.start" not in flat and own.get("since", 1):  # of a connection it may not be known
        yield "no event.start"
    if flat["event.dataset"] in ("cachewarden.event", "cachewarden.incident"):
        if own.get("rule", flat.get("rule.id")) != flat.get("rule.id"):
            yield f"rule.id is {flat.get('rule.id')}, not {own.get('rule')}"
        if own.get("severity") != ["", "info", "low", "medium", "high", "critical"][flat["event.severity"]]:
            yield f"event.severity is {flat['event.severity']}, not {own.get('severity')}"
        if own.get("verdict") == "prevented" and "denied" not in types:
            yield "prevented, but not denied"
        if (own.get("actor") or {}).get("pid") != flat.get("process.pid"):
            yield f"process.pid is {flat.get('process.pid')}"


def main():
    seen, datasets, bad = {}, set(), 0
    with open(sys.argv[1], encoding="utf-8") as lines:
        for line in lines:
            document = json.loads(line)
            problems = list(wrong_with(document))
            rule = document.get("rule", {}).get("id")
            datasets.add(document["cachewarden"]["kind"])
            seen[rule] = seen.get(rule, 0) + 1
            if problems:
                bad += 1
                print(f"{'; '.join(problems)}: {line[:300]}")
            if bad == 10:
                break
    if not datasets >= {"event", "incident", "heartbeat", "conn"}:
        print(f"only {sorted(datasets)} are there")
        bad += 1
    if len(seen) < 20:
        print(f"only {len(seen)} rules are there: {sorted(filter(None, seen))}")
        bad += 1
    sys.exit(bool(bad))


main()
