#!/usr/bin/env python3
"""Sees that what is said about metrics is true: each that the programs export is in
docs/metrics.md, each that a rule, a dashboard or a page names is exported or recorded, each alert
has its entry in docs/runbook.md and its tests, and each entry its alert. Run from the repository's
root. Prints what is wrong and the way out; exit code 1 if anything is."""

import json
import pathlib
import re
import sys

SOURCES = ("common/runtime/*.cc", "services/seatlock/*.cc", "edge/*.cc")
RULES = "deploy/prometheus/rules/*.yml"
RULE_TESTS = "deploy/prometheus/tests/*.yml"
DASHBOARDS = "deploy/grafana/*.json"
METRICS_PAGE = "docs/metrics.md"
RUNBOOK = "docs/runbook.md"
PAGES = (METRICS_PAGE, RUNBOOK, "docs/operating.md")

NAME = r"(?:seatlock|grpc_server|process)_[a-z0-9_]+"
EXPORTED = re.compile(rf'"({NAME})"')
USED = re.compile(rf"(?<![\w:/.\"'-])({NAME})(?![\w:*/.-])")
RECORDED = re.compile(r"^\s*- record: (\S+)", re.M)
RECORDED_USE = re.compile(
    r"(?<![\w:])((?:instance|instance_method|seatlock):[a-z0-9_]+:[a-z0-9_]+)")
ALERT = re.compile(r"^\s*- alert: (\S+)", re.M)
RUNBOOK_URL = re.compile(r"^\s*runbook_url: (\S+)", re.M)
ENTRY = re.compile(r"^## (SeatLock\w+)", re.M)
TESTED = re.compile(r'alertname="(\w+)".*\n\s*eval_time: .*\n\s*exp_samples:(.*)')
PARTS = ("_bucket", "_sum", "_count")


def exported(root):
    names = set()
    for pattern in SOURCES:
        for file in root.glob(pattern):
            if not file.name.endswith("_test.cc"):
                names |= set(EXPORTED.findall(file.read_text()))
    return names


def known(name, names):
    return name in names or any(name.endswith(part) and name.removesuffix(part) in names
                                for part in PARTS)


def in_pages(text):
    """What stands in backticks or in blocks: prose may name a file or a label."""
    return "\n".join(re.findall(r"```.*?```|`[^`]+`", text, re.S)).replace("`", " ")


def strange_names(where, text, names, recorded):
    used = set(USED.findall(text))
    problems = [f"{where}: no program exports {name}: mend the name"
                for name in sorted(used) if not known(name, names)]
    return problems + [f"{where}: no rule records {name}: mend the name"
                       for name in sorted(set(RECORDED_USE.findall(text)) - recorded)]


def dashboard_queries(dashboard):
    return [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]


def dashboard_problems(where, text):
    """A dashboard that can be provisioned, and whose panels a newcomer can read."""
    try:
        dashboard = json.loads(text)
        panels = [panel for panel in dashboard["panels"] if panel["type"] != "row"]
        variables = {each["name"]: each["type"] for each in dashboard["templating"]["list"]}
        problems = []
        if variables.get("datasource") != "datasource":
            problems.append(f"{where}: has no variable `datasource`: add it")
        for panel in panels:
            title = panel["title"]
            if not panel.get("description") or not panel["fieldConfig"]["defaults"].get("unit"):
                problems.append(f"{where}: panel '{title}' has no description or unit: add it")
            if panel["datasource"].get("uid") != "${datasource}" or not panel["targets"]:
                problems.append(f"{where}: panel '{title}' must ask ${{datasource}} something")
        ids = [panel["id"] for panel in dashboard["panels"]]
        if len(ids) != len(set(ids)) or not dashboard["uid"] or not dashboard["title"]:
            problems.append(f"{where}: needs a uid, a title, and panels with ids of their own")
        return problems
    except (ValueError, KeyError, TypeError) as error:
        return [f"{where}: is no dashboard: {error!r}"]


def alert_problems(root, rules):
    alerts = [alert for text in rules.values() for alert in ALERT.findall(text)]
    problems = [f"{RULES}: two alerts are called {alert}"
                for alert in sorted({a for a in alerts if alerts.count(a) > 1})]
    entries = ENTRY.findall((root / RUNBOOK).read_text())
    problems += [f"{RUNBOOK}: {alert} has no entry: write one" for alert in alerts
                 if alert not in entries]
    problems += [f"{RUNBOOK}: there is no alert {entry}: remove its entry" for entry in entries
                 if entry not in alerts or entries.count(entry) > 1]
    for text in rules.values():
        for block in re.split(r"(?m)^\s*- alert: ", text)[1:]:
            alert = block.split()[0]
            if RUNBOOK_URL.findall(block) != [f"{RUNBOOK}#{alert.lower()}"]:
                problems.append(f"{RULES}: the runbook_url of {alert} must be "
                                f"{RUNBOOK}#{alert.lower()}")
    tested = {alert: set() for alert in alerts}
    for file in sorted(root.glob(RULE_TESTS)):
        for alert, expected in TESTED.findall(file.read_text()):
            tested.setdefault(alert, set()).add(expected.strip() == "[]")
    problems += [f"{RULE_TESTS}: {alert} must be seen to fire and to stay silent"
                 for alert, seen in tested.items() if seen != {True, False}]
    return problems


def check_tree(root):
    names = exported(root)
    rules = {str(file.relative_to(root)): file.read_text() for file in sorted(root.glob(RULES))}
    recorded = {name for text in rules.values() for name in RECORDED.findall(text)}
    problems = alert_problems(root, rules)
    described = set(re.findall(rf"`({NAME})[`{{]", (root / METRICS_PAGE).read_text()))
    problems += [f"{METRICS_PAGE}: {name} is exported and not described: add it"
                 for name in sorted(names - described)]
    for where, text in rules.items():
        without_texts = re.sub(r"(?m)^\s*(#|summary:|runbook_url:).*|^ {12}\S.*", "", text)
        problems += strange_names(where, without_texts, names, recorded)
    for file in sorted(root.glob(DASHBOARDS)):
        where, text = str(file.relative_to(root)), file.read_text()
        found = dashboard_problems(where, text)
        problems += found
        if not found:
            for query in dashboard_queries(json.loads(text)):
                problems += strange_names(where, query, names, recorded)
    for page in PAGES:
        problems += strange_names(page, in_pages((root / page).read_text()), names, recorded)
    return problems


def main():
    problems = check_tree(pathlib.Path("."))
    for problem in problems:
        print(problem)
    if not problems:
        print("monitoring: rules, dashboards and pages name what is there")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
