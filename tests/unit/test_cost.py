#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What tests/bench/cost.py makes of a guest's lines, and which differences it calls a failure."""
import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "bench"))
import cost  # pylint: disable=wrong-import-position

GET, OPEN = "server: GET 100 B, P=1", "stranger: open, close"
EGRESS = f"program: wire_egress, {GET}"
OPENED = f"program: ac_open, {OPEN}"


def section(**changes):
    """A kernel's section of the table; changes replace columns of figures."""
    table = {
        GET: {"off": 40000, "cachewarden": 40900, "spread": 10},
        OPEN: {"off": 5800, "cachewarden": 8700, "spread": 0},
        EGRESS: {"run": 200, "runs": 2, "spread": 0.2},
        OPENED: {"run": 2000, "runs": 1, "spread": 0},
    }
    for figure, columns in changes.items():
        table[{"get": GET, "open": OPEN, "egress": EGRESS, "opened": OPENED}[figure]].update(columns)
    return table


class Lines(unittest.TestCase):
    LINES = f"""configuration off 3.4
figure\t{GET}\t40000.0
configuration cachewarden 5.9
figure\t{GET}\t40900.0
configuration programs 9.1
program\t{GET}\twire_egress\t2.000\t251.0
program\t{GET}\tfloor_egress\t2.000\t51.0
program\t{GET}\tfloor_ingress\t2.000\t51.0
program\t{OPEN}\tac_open\t1.000\t2070.0
program\t{OPEN}\tfloor_function\t1.000\t70.0
figure\t{GET}\t42000.0
configuration off 12.0
figure\t{GET}\t40010.0
configuration kprobes 14.0
missing kprobes no such program
end 15.0""".splitlines()

    def setUp(self):
        self.figures, self.missing = cost.figures_of(self.LINES)

    def test_a_path_has_a_column_for_each_configuration(self):
        self.assertEqual(self.figures[GET], {"off": 40005, "cachewarden": 40900})

    def test_the_statistics_own_cost_is_taken_from_a_program_according_to_how_it_is_called(self):
        self.assertEqual(self.figures[EGRESS], {"run": 200, "runs": 2})
        self.assertEqual(self.figures[OPENED], {"run": 2000, "runs": 1})

    def test_empty_programs_are_no_figures(self):
        self.assertFalse([name for name in self.figures if "floor_" in name])

    def test_what_could_not_be_measured_is_told_with_its_reason(self):
        self.assertEqual(self.missing, {"kprobes": "no such program"})

    def test_programs_without_an_empty_one_to_compare_with_are_an_error(self):
        with self.assertRaises(ValueError):
            cost.figures_of([line for line in self.LINES if "floor_function" not in line])


class Repeated(unittest.TestCase):
    def test_medians_and_the_largest_difference_of_the_added_cost(self):
        runs = [section(get={"off": off, "cachewarden": off + added})
                for off, added in ((40000, 880), (39900, 905), (40100, 900))]
        row = cost.merged(runs)[GET]
        self.assertEqual((row["off"], row["cachewarden"], row["spread"]), (40000, 40900, 25))

    def test_a_program_that_ran_in_some_runs_only_is_left_out(self):
        one = section()
        del one[OPENED]
        self.assertNotIn(OPENED, cost.merged([section(), one]))

    def test_configurations_measured_once_are_kept(self):
        row = cost.merged([section(open={"floor": 5800}), section()])[OPEN]
        self.assertEqual(row["floor"], 5800)


class Compare(unittest.TestCase):
    def outcome(self, **changes):
        return cost.compare(section(**changes), section())

    def test_the_same_is_no_change(self):
        self.assertEqual(self.outcome(), ({}, {}))

    def test_a_program_five_percent_dearer_is_named_with_both_figures(self):
        dearer, cheaper = self.outcome(egress={"run": 210})
        self.assertEqual((list(dearer), cheaper), ([EGRESS], {}))
        self.assertIn("200 -> 210 (+5.0%)", dearer[EGRESS])

    def test_a_program_may_differ_by_one_percent_and_the_resolution(self):
        self.assertEqual(self.outcome(egress={"run": 203}), ({}, {}))
        self.assertEqual(list(self.outcome(egress={"run": 203.2})[0]), [EGRESS])

    def test_a_small_program_may_differ_by_the_resolution(self):
        expected = section(egress={"run": 20, "spread": 0})
        self.assertEqual(cost.compare(section(egress={"run": 21}), expected), ({}, {}))
        self.assertEqual(list(cost.compare(section(egress={"run": 22}), expected)[0]), [EGRESS])

    def test_bulk_is_not_compared(self):
        bulk = f"server: GET {cost.BULK}"
        before, now = section(), section()
        before[bulk] = {"off": 55000, "cachewarden": 55700}
        now[bulk] = {"off": 55000, "cachewarden": 59000}
        self.assertEqual(cost.compare(now, before), ({}, {}))
        self.assertEqual(cost.compare(section(), before), ({}, {}))
        self.assertEqual(cost.compare(now, section()), ({}, {}))

    def test_a_program_that_runs_more_often_is_dearer(self):
        self.assertIn("runs per operation 2 -> 3", self.outcome(egress={"runs": 3})[0][EGRESS])

    def test_how_much_a_sweep_finds_is_no_change(self):
        sweep = "program: sweep_tasks, sweep"
        few, many = ({sweep: {"run": 20000, "runs": runs, "spread": 0}} for runs in (68, 72))
        self.assertEqual(cost.compare(many, few), ({}, {}))

    def test_a_path_is_compared_by_what_the_monitor_adds(self):
        self.assertEqual(self.outcome(get={"off": 30000, "cachewarden": 30900}), ({}, {}))
        dearer, _ = self.outcome(open={"cachewarden": 8850})
        self.assertIn("added instructions 2,900 -> 3,050", dearer[OPEN])

    def test_the_spread_of_repeated_runs_is_no_change(self):
        wide = section(open={"spread": 100})
        self.assertEqual(cost.compare(section(open={"cachewarden": 9000}), wide), ({}, {}))
        self.assertEqual(list(cost.compare(section(open={"cachewarden": 9100}), wide)[0]), [OPEN])

    def test_cheaper_is_told_apart(self):
        dearer, cheaper = self.outcome(opened={"run": 500}, open={"cachewarden": 7000})
        self.assertEqual((dearer, set(cheaper)), ({}, {OPEN, OPENED}))
        self.assertIn("2,000 -> 500 (-75.0%)", cheaper[OPENED])

    def test_a_figure_that_is_in_one_only_is_dearer(self):
        state = f"program: sock_state, {GET}"
        more = section()
        more[state] = {"run": 5, "runs": 1, "spread": 0}
        self.assertEqual(cost.compare(more, section()), ({state: "not in the table"}, {}))
        self.assertEqual(cost.compare(section(), more), ({state: "in the table, but not measured"}, {}))


class Document(unittest.TestCase):
    def test_every_path_and_program_has_a_row(self):
        text = cost.document({"6.1": section(), "6.12": section(get={"floor": 40204})})
        self.assertIn("| 6.12 | server: GET 100 B, P=1 | 40,000 | +900 (1.022) ± 10 | +204 (1.005) |\n", text)
        self.assertIn("| 6.1 | server: GET 100 B, P=1 | 40,000 | +900 (1.022) ± 10 | - |\n", text)
        self.assertIn(f"| `wire_egress` | {GET} | 200 | 200 | 2 |\n", text)


if __name__ == "__main__":
    unittest.main()
