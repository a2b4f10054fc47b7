#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What docs/monitoring gives operators: alert rules that fire when they should, and a dashboard of metrics that exist."""
import json
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "docs/monitoring/alerts.yml"
DASHBOARD = json.loads((ROOT / "docs/monitoring/dashboard.json").read_text(encoding="utf-8"))
METRIC = re.compile(r"\b((?:cachewarden|process)_[a-z_]+|up)\b")
COLUMNS = 24


def promtool(*args):
    """Its output if it finds nothing wrong."""
    run = subprocess.run(["promtool", *map(str, args)], capture_output=True, text=True, check=False)
    if run.returncode:
        raise AssertionError(run.stdout + run.stderr)
    return run.stdout


def documented():
    """The metrics that docs/operations.md lists, which is generated from the product's table."""
    text = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    return set(re.findall(r"^\| `([a-z_]+)` \| (?:gauge|counter)", text, re.M)) | {"up"}


def expressions():
    """Those of the dashboard, with values for Grafana's variables."""
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            yield re.sub(r"\$__(rate_interval|range)", "5m", target["expr"])


class Rules(unittest.TestCase):
    def test_they_are_valid(self):
        promtool("check", "rules", RULES)

    def test_they_fire_when_they_should(self):
        promtool("test", "rules", RULES.with_name("alerts_test.yml"))

    def test_their_metrics_exist(self):
        used = set()
        for expr in re.findall(r"expr: (.*)", RULES.read_text(encoding="utf-8")):
            used |= set(METRIC.findall(re.sub(r"\{.*?\}", "", expr)))
        self.assertGreater(len(used), 8)
        self.assertLessEqual(used, documented())


class Dashboard(unittest.TestCase):
    def test_its_expressions_are_valid(self):
        rules = [{"record": f"panel:{i}", "expr": e} for i, e in enumerate(expressions())]
        self.assertGreater(len(rules), 12)
        with tempfile.NamedTemporaryFile("w", suffix=".yml") as f:
            json.dump({"groups": [{"name": "dashboard", "rules": rules}]}, f)
            f.flush()
            self.assertIn(f"{len(rules)} rules found", promtool("check", "rules", f.name))

    def test_its_metrics_exist(self):
        for expr in expressions():
            bare = re.sub(r"\{.*?\}|by \(.*?\)", "", expr)
            self.assertLessEqual(set(METRIC.findall(bare)), documented(), expr)

    def test_no_panel_covers_another(self):
        taken = set()
        for panel in DASHBOARD["panels"]:
            at = panel["gridPos"]
            cells = {(x, y) for x in range(at["x"], at["x"] + at["w"])
                     for y in range(at["y"], at["y"] + at["h"])}
            self.assertFalse(taken & cells, panel["title"])
            self.assertLessEqual(at["x"] + at["w"], COLUMNS, panel["title"])
            taken |= cells

    def test_every_panel_has_its_own_id_and_says_what_it_shows(self):
        panels = DASHBOARD["panels"]
        self.assertEqual(len({p["id"] for p in panels}), len(panels))
        for panel in panels:
            self.assertTrue(panel["title"])
            for target in panel["targets"]:
                self.assertIn('job="$job"', target["expr"])
                self.assertIn('instance=~"$host"', target["expr"])


if __name__ == "__main__":
    if not shutil.which("promtool"):
        print("promtool is not installed (Debian: prometheus)")
        sys.exit(3)
    unittest.main()
