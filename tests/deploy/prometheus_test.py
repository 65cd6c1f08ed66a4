"""deploy/prometheus and deploy/grafana, tried: promtool's checks and tests of the rules, and a real
Prometheus that scrapes a real run, and gives data to every query of the rules and dashboards.

A comparison in an alert gives nothing while all is well. Its queries are asked here with `bool`,
which gives 0 or 1 for each series on its left side; that they fire is what promtool's tests show.
Took 124 s to 190 s on 2 cores at a load of 17."""

import json
import math
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import unittest

from tests.deploy.monitored import Installation
from tests.deploy.programs import ROOT, fetch, until

sys.path.insert(0, str(ROOT / "tests/checks"))
import monitoring  # noqa: E402

RULES = ROOT / "deploy/prometheus/rules"
TESTS = ROOT / "deploy/prometheus/tests"
EXPRESSION = r"\n        expr: (?:>-\n((?: {10}.*\n)+)|(.*)\n)"
ALERT = re.compile(r"(?m)^      - alert: (\w+)" + EXPRESSION)
RECORD = re.compile(r"(?m)^      - record: (\S+)" + EXPRESSION)
COMPARISON = re.compile(r"(==|[<>]=?)(?= )")


def promtool(*args):
    done = subprocess.run(["promtool", *map(str, args)], capture_output=True, text=True,
                          check=False, cwd=TESTS)
    return done.returncode, done.stdout + done.stderr


def rules_of(pattern):
    """Name and expression of each rule."""
    return [(name, " ".join((folded or plain).split())) for file in sorted(RULES.glob("*.yml"))
            for name, folded, plain in pattern.findall(file.read_text())]


def always_something(expression):
    """The same with comparisons that give 0 or 1, and what must not be absent counted. Label
    matchers have no comparison with a space behind."""
    return COMPARISON.sub(r"\1 bool", expression.replace("absent(", "count("))


class PromtoolTest(unittest.TestCase):
    def test_configuration_and_rules_are_good(self):
        code, said = promtool("check", "config", ROOT / "deploy/prometheus/prometheus.yml")
        self.assertEqual(code, 0, said)
        code, said = promtool("check", "rules", "--lint-fatal", *sorted(RULES.glob("*.yml")))
        self.assertEqual(code, 0, said)

    def test_what_is_relabelled_in_kubernetes_is_good(self):
        """Debian's Prometheus has no kubernetes_sd_configs; tests/kube sees which pods are kept."""
        text = (ROOT / "deploy/prometheus/prometheus.yml").read_text()
        text, count = re.subn(
            r"    # relabel_configs:\n(?:    # {3}.*\n)+",
            lambda block: block[0].replace("    # ", "    "),
            text.replace("rules/*.yml", f"{RULES}/*.yml"))
        self.assertEqual(count, 2)
        with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
            file.write(text)
            file.flush()
            code, said = promtool("check", "config", file.name)
            self.assertEqual(code, 0, said)

    def test_each_alert_fires_and_stays_silent(self):
        code, said = promtool("test", "rules", *sorted(TESTS.glob("*.yml")))
        self.assertEqual(code, 0, said)

    def fails_for_each_alert(self, replacement):
        """Control: with every alert's expression replaced, the tests of every alert fail."""
        with tempfile.TemporaryDirectory() as folder:
            for name in ("rules", "tests"):
                (pathlib.Path(folder) / name).mkdir()
            for file in TESTS.glob("*.yml"):
                (pathlib.Path(folder) / "tests" / file.name).write_text(file.read_text())
            for file in RULES.glob("*.yml"):
                text = ALERT.sub(f"      - alert: \\1\n        expr: {replacement}\n",
                                 file.read_text())
                (pathlib.Path(folder) / "rules" / file.name).write_text(text)
            tests = sorted((pathlib.Path(folder) / "tests").glob("*.yml"))
            code, said = promtool("test", "rules", *tests)
        self.assertNotEqual(code, 0)
        for alert, _ in rules_of(ALERT):
            self.assertIn(f'alertname=\\"{alert}\\"', said)

    def test_control_alerts_that_never_fire_are_found(self):
        self.fails_for_each_alert("vector(0) > 1")

    def test_control_alerts_that_always_fire_are_found(self):
        self.fails_for_each_alert("vector(1)")


class RealRunTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.run_ = Installation(folder.name)
        cls.addClassCleanup(cls.run_.end)
        for showtime in ("s1", "s2"):
            cls.run_.lock(showtime, "Z1", "first")
            cls.run_.open_browser(showtime)
        cls.run_.follow("s1")
        # Goes on while queries are asked, so that no rate is that of an idle minute.
        over = threading.Event()
        load = threading.Thread(target=cls.load, args=(cls.run_, over))
        load.start()
        cls.addClassCleanup(load.join)
        cls.addClassCleanup(over.set)
        cls.outage(cls.run_)

    @staticmethod
    def load(run, over):
        """Locks, refusals and bookings on both stores, whatever becomes of them."""
        for i in range(2_000):
            if over.wait(0.1):
                return
            run.lock("s1", f"A{i}", "alice")
            run.lock("s1", f"A{i}", "bob")
            run.seatctl("book", "s1", f"A{i}", "--session", "alice", "--order", f"o{i}")
            run.lock("s2", f"A{i}", "alice", server=run.redis_service)

    @staticmethod
    def outage(run):
        """The service dies and comes back, and Prometheus sees both."""
        until(lambda: 1 in run.query("min(seatlock_edge_upstream_up)"), "the edge")
        run.service.kill()
        until(lambda: run.query("sum(seatlock_edge_rooms_away)") == [2], "an outage")
        until(lambda: 0 in run.query('up{job="seatlockd"}'), "an outage")
        run.service.start()
        until(lambda: run.query("sum(seatlock_edge_rooms_away)") == [0], "the return")

    def test_refusals_bookings_and_frames_are_counted(self):
        for query in ('seatlock_commands_total{command="lock",result="seat_taken"}',
                      'seatlock_commands_total{command="book",result="ok"}',
                      "seatlock_edge_frames_sent_total"):
            until(lambda: max(self.run_.query(query), default=0) > 0, query)

    def gives_data(self, name, expression):
        with self.subTest(name, query=expression):
            until(lambda: [v for v in self.run_.query(expression) if not math.isnan(v)],
                  f"data of {name}: {expression}")

    def test_every_target_is_up(self):
        until(lambda: self.run_.query("sum(up)") == [3], "all targets")

    def test_every_recording_rule_has_data(self):
        for name, expression in rules_of(RECORD):
            self.gives_data(name, expression)
            self.gives_data(name, name)

    def test_every_alert_has_the_series_that_it_looks_at(self):
        for name, expression in rules_of(ALERT):
            self.gives_data(name, always_something(expression))

    def test_every_query_of_the_dashboards_has_data(self):
        files = sorted((ROOT / "deploy/grafana").glob("*.json"))
        self.assertTrue(files)
        for file in files:
            for query in monitoring.dashboard_queries(json.loads(file.read_text())):
                filled = query.replace("$__rate_interval", "2m").replace("$instance", ".*")
                self.gives_data(file.name, always_something(filled))

    def test_nothing_fires_while_all_is_well(self):
        self.assertEqual(self.run_.query('ALERTS{alertstate="firing"}'), [])

    def test_every_metric_of_the_programs_is_described(self):
        page = (ROOT / "docs/metrics.md").read_text()
        for program in (self.run_.service, self.run_.redis_service, self.run_.edge):
            text = fetch(f"http://{program.admin}/metrics")
            names = re.findall(r"(?m)^# TYPE (\S+)", text)
            self.assertGreater(len(names), 20)
            for name in names:
                self.assertRegex(page, rf"`{name}[`{{]")


if __name__ == "__main__":
    unittest.main()
