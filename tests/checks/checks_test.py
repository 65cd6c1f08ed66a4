#!/usr/bin/env python3
"""The checks themselves: each finds what it is there for, in a tree made for it."""

import base64
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import arrows  # noqa: E402
import arrows_ts  # noqa: E402
import commands  # noqa: E402
import files  # noqa: E402
import hardening  # noqa: E402
import links  # noqa: E402
import monitoring  # noqa: E402
import thread_safety  # noqa: E402
import written_secrets  # noqa: E402


class Tree(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.root = pathlib.Path(self.folder.name)

    def write(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


class LinksTest(Tree):
    def setUp(self):
        super().setUp()
        self.write("base/CMakeLists.txt",
                   "seatlock_library(base\n  SOURCES clock.cc clock.h flat.h)\n")
        self.write("base/clock.h", "")
        self.write("edge/upgrade.cc", '#include "base/clock.h"\n#include "base/flat.h"\n')

    def test_a_library_that_links_what_it_includes_passes_also_through_another(self):
        self.write("mid/CMakeLists.txt", "seatlock_library(mid SOURCES m.cc DEPS seatlock::base)\n")
        self.write("edge/CMakeLists.txt",
                   "seatlock_library(ws SOURCES upgrade.cc  # why\n  DEPS seatlock::mid)\n")
        self.assertEqual(links.check_tree(self.root), [])

    def test_a_missing_library_is_named(self):
        for kind in ("library", "binary", "fuzzer"):
            self.write("edge/CMakeLists.txt",
                       f"seatlock_{kind}(ws SOURCES upgrade.cc DEPS absl::status)\n")
            self.assertEqual(links.check_tree(self.root), [
                "edge/upgrade.cc: includes base/clock.h: add seatlock::base to the DEPS of ws"])


class ArrowsTest(Tree):
    def breaches(self, path, *includes):
        self.write(path, "".join(f'#include "{i}"\n' for i in includes))
        return arrows.check_tree(self.root)

    def test_good_tree_passes(self):
        self.write("common/base/a.h", "#include <string>\n")
        self.write("services/seatlock/rpc/s.cc", '#include "services/seatlock/engine/e.h"\n'
                                                 "#include <grpcpp/grpcpp.h>\n")
        self.write("edge/main.cc", '#include "edge/ws/w.h"\n#include "common/runtime/flags.h"\n')
        self.write("edge/protocol/p.h", '#include "edge/limits.h"\n')
        self.write("edge/fanout/a_test.cc", '#include "tests/testing/t.h"\n')
        self.assertEqual(arrows.check_tree(self.root), [])

    def test_each_wrong_arrow_is_named_with_a_way_out(self):
        wrong = [
            ("common/base/x.h", "common/runtime/flags.h"),
            ("services/seatlock/domain/x.h", "services/seatlock/log/showtime_log.h"),
            ("services/seatlock/log/memory/x.h", "services/seatlock/log/sqlite/s.h"),
            ("services/seatlock/log/x.h", "services/seatlock/log/codec/c.h"),
            ("services/seatlock/engine/x.h", "services/seatlock/log/sqlite/s.h"),
            ("services/seatlock/engine/x.h", "services/seatlock/rpc/r.h"),
            ("services/seatlock/rpc/x.h", "common/runtime/metrics.h"),
            ("edge/fanout/x.h", "edge/ws/w.h"),
            ("edge/protocol/x.h", "edge/showtime/s.h"),
            ("edge/protocol/x.h", "edge/stats.h"),
            ("edge/showtime/x.h", "edge/fanout/f.h"),
            ("edge/upstream/x.h", "edge/fanout/f.h"),
            ("edge/ws/x.h", "edge/showtime/s.h"),
            ("edge/limits.h", "edge/protocol/p.h"),
            ("edge/ws/x.h", "edge/upstream/u.h"),
            ("edge/main.cc", "services/seatlock/domain/types.h"),
            ("clients/cpp/x.h", "services/seatlock/domain/types.h"),
            ("clients/cpp/x.h", "tests/testing/t.h"),
            ("clients/cpp/include/seatlock/x.h", "clients/cpp/servers.h"),
            ("clients/cpp/include/seatlock/x.h", "common/base/mutex.h"),
            ("edge/upstream/x.h", "seatlock/client.h"),
            ("services/seatlock/engine/x.h", "grpcpp/grpcpp.h"),
            ("services/seatlock/domain/x.h", "seatlock/v1/seats.pb.h"),
            ("edge/fanout/x.h", "boost/beast/http.hpp"),
            ("common/runtime/flags.cc", "boost/asio/io_context.hpp"),
            ("services/seatlock/log/memory/x.h", "sqlite3.h"),
            ("services/seatlock/rpc/x.h", "prometheus/counter.h"),
            ("services/other/x.h", "string"),
        ]
        for path, include in wrong:
            with self.subTest(path=path, include=include):
                lines = self.breaches(path, include)
                (self.root / path).unlink()
                self.assertEqual(len(lines), 1, lines)
                self.assertIn(path, lines[0])


class MonitoringTest(Tree):
    ALERT = ("groups:\n  - rules:\n      - record: seatlock:a:b\n        expr: seatlock_a_total\n"
             "      - alert: SeatLockA\n        expr: seatlock:a:b > 1\n        annotations:\n"
             "          summary: \"seatlock_of_no_program\"\n"
             "          runbook_url: docs/runbook.md#seatlocka\n")
    TESTS = ("      - expr: sum(ALERTS{alertname=\"SeatLockA\"})\n        eval_time: 1m\n"
             "        exp_samples: []\n"
             "      - expr: sum(ALERTS{alertname=\"SeatLockA\"})\n        eval_time: 5m\n"
             "        exp_samples:\n          - labels: '{}'\n")

    def dashboard(self, **panel):
        asks = {"uid": "${datasource}"}
        panel = {"id": 1, "type": "timeseries", "title": "A", "description": "As.",
                 "datasource": asks, "fieldConfig": {"defaults": {"unit": "s"}},
                 "targets": [{"expr": "rate(seatlock_h_seconds_bucket[5m])"}]} | panel
        return json.dumps({"uid": "a", "title": "A", "panels": [panel], "templating": {
            "list": [{"name": "datasource", "type": "datasource"}]}})

    def setUp(self):
        super().setUp()
        self.write("edge/metrics.cc", '"seatlock_a_total", "seatlock_h_seconds", "seatlock"')
        self.write("deploy/prometheus/rules/a.yml", self.ALERT)
        self.write("deploy/prometheus/tests/a.yml", self.TESTS)
        self.write("deploy/grafana/a.json", self.dashboard())
        self.write("docs/metrics.md", "`seatlock_a_total{x}`, `seatlock_h_seconds`\n")
        self.write("docs/runbook.md", "## SeatLockA\n\nLook at `seatlock:a:b`.\n")
        self.write("docs/operating.md", "`seatlock_a_total`, and a seatlock_thing in prose\n")

    def problems(self):
        return monitoring.check_tree(self.root)

    def finds(self, *words):
        problems = self.problems()
        self.assertEqual(len(problems), 1, problems)
        for word in words:
            self.assertIn(word, problems[0])

    def test_good_tree_passes(self):
        self.assertEqual(self.problems(), [])

    def test_a_metric_that_is_not_described(self):
        self.write("services/seatlock/main.cc", '"seatlock_new_total"')
        self.finds("docs/metrics.md", "seatlock_new_total")

    def test_a_name_that_no_program_exports(self):
        self.write("deploy/prometheus/rules/a.yml", self.ALERT.replace("_a_total", "_b_total"))
        self.finds("rules/a.yml", "seatlock_b_total")
        self.write("deploy/prometheus/rules/a.yml", self.ALERT)
        self.write("docs/operating.md", "`seatlock_old_total`\n")
        self.finds("docs/operating.md", "seatlock_old_total")

    def test_a_query_of_a_dashboard_that_asks_for_nothing(self):
        self.write("deploy/grafana/a.json", self.dashboard(targets=[{"expr": "seatlock:a:c"}]))
        self.finds("a.json", "seatlock:a:c")

    def test_an_alert_without_entry_and_an_entry_without_alert(self):
        self.write("docs/runbook.md", "")
        self.finds("SeatLockA", "no entry")
        self.write("docs/runbook.md", "## SeatLockA\n\n## SeatLockB\n")
        self.finds("SeatLockB", "no alert")

    def test_an_alert_that_points_elsewhere(self):
        self.write("deploy/prometheus/rules/a.yml", self.ALERT.replace("md#seatlocka", "md#b"))
        self.finds("runbook_url", "SeatLockA")

    def test_an_alert_that_was_never_seen_to_fire(self):
        first = self.TESTS[:self.TESTS.index("      - expr", 9)]
        self.write("deploy/prometheus/tests/a.yml", first)
        self.finds("SeatLockA", "fire")

    def test_a_panel_that_explains_nothing(self):
        self.write("deploy/grafana/a.json", self.dashboard(description=""))
        self.finds("'A'", "description")
        self.write("deploy/grafana/a.json", "{}")
        self.finds("no dashboard")


class TypeScriptArrowsTest(Tree):
    def breaches(self, path, text):
        self.write(path, text)
        return arrows_ts.check_tree(self.root)

    def test_good_tree_passes(self):
        client = "clients/typescript/src/"
        self.write(client + "browser/a.ts", "import { b } from './socket/b.js';\n"
                                            "export type * from './types.js';\n")
        self.write(client + "browser/socket/b.ts", "import type { T } from '../types.js';\n")
        self.write(client + "browser/a.test.ts", "import { f } from '../testing/index.js';\n")
        self.write(client + "testing/f.ts", "import { a } from '../browser/a.js';\n")
        self.write(client + "node/c.ts", "import { randomUUID } from 'node:crypto';\n"
                                         "import grpc from '@grpc/grpc-js';\n")
        self.write("clients/react/src/h.tsx", "import {\n  useRef,\n} from 'react';\n"
                                              "import { showtime } from '@seatlock/client';\n")
        self.write("clients/react/src/h.test.tsx", "import '@seatlock/client/testing';\n")
        self.write("clients/demo/app/page.tsx", "import x from '@/lib/x';\nimport './a.css';\n"
                                                "import { s } from '@seatlock/client/node';\n")
        self.write("clients/demo/lib/guide.ts", "/**\n * import { x } from '../../react/x';\n */\n"
                                                "const words = \"taken from 'nobody'\";\n")
        self.write("clients/react/src/testing/setup.ts", "import '@testing-library/react';\n")
        self.write("clients/react/tsdown.config.ts", "import { defineConfig } from 'tsdown';\n")
        self.assertEqual(arrows_ts.check_tree(self.root), [])

    def test_each_wrong_arrow_is_named_with_a_way_out(self):
        client = "clients/typescript/src/"
        wrong = [
            (client + "browser/x.ts", "import { f } from '../testing/f.js';"),
            (client + "browser/x.ts", "import {\n  readFile,\n} from 'node:fs';"),
            (client + "browser/x.ts", "export { c } from '../node/c.js';"),
            (client + "browser/x.ts", "const c = await import('../node/c.js');"),
            (client + "browser/x.ts", "import ws from 'ws';"),
            (client + "testing/x.ts", "import { c } from '../node/c.js';"),
            (client + "node/x.ts", "import { a } from '../browser/a.js';"),
            (client + "node/x.ts", "import type { A } from '../testing/a.js';"),
            (client + "node/x.ts", "import express from 'express';"),
            (client + "other/x.ts", "import './y.js';"),
            ("clients/react/src/x.tsx", "import { F } from '@seatlock/client/testing';"),
            ("clients/react/src/x.tsx", "import { a } from '../../typescript/src/browser/a.js';"),
            ("clients/react/src/x.tsx", "import clsx from 'clsx';"),
            ("clients/demo/lib/x.ts", "import { a } from '../../react/src/a.js';"),
            ("clients/demo/lib/x.ts", "const a = require('../../../tests/a.js');"),
        ]
        for path, text in wrong:
            with self.subTest(path=path, text=text):
                lines = self.breaches(path, text + "\n")
                (self.root / path).unlink()
                self.assertEqual(len(lines), 1, lines)
                self.assertIn(path, lines[0])


class FilesTest(Tree):
    def breaches(self):
        paths = [f.relative_to(self.root).as_posix() for f in self.root.rglob("*") if f.is_file()]
        return files.check_tree(self.root, sorted(paths))

    def setUp(self):
        super().setUp()
        self.write("CHANGELOG.md", "## [Unreleased]\n")
        self.write("a/CMakeLists.txt", "seatlock_library(a\n  SOURCES a.cc sub/b.cc)\n")
        self.write("a/a.cc", "// fine\n" * 600)
        self.write("a/sub/b.cc", "x" * 100 + "\n")

    def test_good_tree_passes(self):
        self.assertEqual(self.breaches(), [])

    def test_file_in_no_list_is_found(self):
        self.write("a/a_test.cc", "")
        self.assertIn("a/a_test.cc: in no CMakeLists.txt", self.breaches()[0])

    def test_long_files_and_lines_are_found(self):
        self.write("a/a.cc", "// long\n" * 601)
        self.write("a/sub/b.cc", "ü" * 101 + "\n")
        lines = self.breaches()
        self.assertEqual(len(lines), 2, lines)
        self.assertIn("601 lines", lines[0])
        self.assertIn("a/sub/b.cc:1: 101 columns", lines[1])

    def test_long_web_files_and_lines_are_found(self):
        for suffix in ("ts", "tsx", "mjs", "css"):
            self.write(f"b/a.{suffix}", "x" * 101 + "\n" * 601)
        lines = self.breaches()
        self.assertEqual(len(lines), 8, lines)

    def test_lock_that_names_a_registry_is_found(self):
        good = '"resolved": "file:../../build/npm/a.tgz"\n"resolved": "clients/react"\n'
        self.write("b/package-lock.json", good)
        self.assertEqual(self.breaches(), [])
        self.write("b/package-lock.json", good + '"resolved": "https://r.example/a.tgz"\n')
        self.assertIn("b/package-lock.json:3: names a registry", self.breaches()[0])

    def test_missing_changelog_is_found(self):
        self.write("CHANGELOG.md", "")
        self.assertIn("CHANGELOG.md", self.breaches()[0])


class CommandsTest(Tree):
    def setUp(self):
        super().setUp()
        subprocess.run(["git", "init", "-q", str(self.root)], check=True)
        self.write("a/a_test.cc", "TEST(Suite, Test) {}\n")
        self.write("a/x.test.ts", "it('does it', () => {});\n")
        self.write("tests/deploy/CMakeLists.txt", "seatlock_deploy_test(docs TIMEOUT 60)\n")
        for name in ("docs", "forgotten"):
            self.write(f"tests/deploy/{name}_test.py",
                       f"class {name.title()}Test(Case):\n    def test_it(self):\n        pass\n")

    def breaches(self, *lines, page="docs/a.md"):
        self.write(page, "\n".join(lines) + "\n")
        return commands.check_tree(self.root)

    def test_what_is_run_or_says_why_not_passes(self):
        self.assertEqual(self.breaches(
            "```sh test=DocsTest.test_it", "seatctl list", "```",
            "```console test=Suite.Test", "$ seatctl list", "```",
            '```bash test="a/x.test.ts#does it"', "npm install", "```",
            "```sh test=tests/deploy/docs_test.py#test_it", "seatctl list", "```",
            '```sh not-run="needs a machine of its own"', "reboot", "```",
            "```text", "    seatctl list", "```", "", "    proxy_pass http://a;"), [])

    def test_each_breach_is_named_with_its_line_and_a_way_out(self):
        wrong = [
            (["```sh", "seatctl list", "```"], "with neither"),
            (['```sh test=Suite.Test not-run="no machine here"', "a", "```"], "with both"),
            (["```sh test=Suite.Other", "a", "```"], "no test Suite.Other"),
            (["```sh test=ForgottenTest.test_it", "a", "```"], "no test Forgotten"),
            (['```sh test="a/x.test.ts#does that"', "a", "```"], "no test a/x.test.ts"),
            (["```sh test=tests/deploy/docs_test.py#test", "a", "```"], "no test tests/deploy"),
            (['```sh not-run="no"', "a", "```"], "without a reason"),
            (["- in a list:", "  ```sh", "  a", "  ```"], "with neither"),
            (["```", "a", "```"], "without a language"),
            (["", "    ./dev up", "    seatctl list"], "in an indented block"),
        ]
        self.breaches("```sh test=Suite.Test", "a", "```", page="README.md")
        for lines, what in wrong:
            with self.subTest(lines=lines):
                found = self.breaches(*lines, page="docs/deep/a.md")
                self.assertEqual(len(found), 1, found)
                self.assertRegex(found[0], rf"^docs/deep/a.md:[12]: .*{what}")

    def test_a_tree_without_commands_is_a_breach(self):
        self.assertEqual(len(self.breaches("text")), 1)


class ThreadSafetyTest(Tree):
    def test_files_that_hold_locks_are_chosen_also_through_their_header(self):
        self.write("common/a.h", "int x ABSL_GUARDED_BY(mu_);\n")
        self.write("common/a.cc", '#include "common/a.h"\n')
        self.write("common/b.cc", "int y;\n")
        chosen = [path for path in ("common/a.cc", "common/b.cc")
                  if thread_safety.holds_locks(self.root, self.root / path)]
        self.assertEqual(chosen, ["common/a.cc"])


class WrittenSecretsTest(Tree):
    SECRET = b"QjMn-2Zc_Lk8aX0fT5wPz7Rv1sYd3HgB"

    def found(self, *written):
        self.write("secrets/1", self.SECRET.decode() + "\nanother-secret-of-its-own\n")
        for number, data in enumerate(written):
            self.write(f"logs/{number}.log", "a line before\n")
            with (self.root / f"logs/{number}.log").open("ab") as file:
                file.write(data)
        return written_secrets.check(self.root / "secrets", [self.root / "logs"])

    def test_what_has_no_secret_passes(self):
        self.assertEqual(self.found(b"authorization: Bearer\n", b"\0\xff"), [])

    def test_a_planted_secret_is_found_in_every_form_and_never_repeated(self):
        forms = [self.SECRET, self.SECRET.hex().encode(), self.SECRET.hex().upper().encode()]
        for before in (b"", b"a", b"ab"):
            text = before + self.SECRET + b"tail"
            forms += [base64.b64encode(text), base64.urlsafe_b64encode(text)]
        for form in forms:
            with self.subTest(form):
                found = self.found(b"x" + form + b"y\n" if form == self.SECRET else form)
                self.assertEqual(len(found), 1, found)
                self.assertIn("0.log:2: a secret", found[0])
                self.assertNotIn(form.decode(), found[0])

    def test_a_search_without_secrets_or_without_logs_is_no_search(self):
        (self.root / "secrets").mkdir()
        (self.root / "logs").mkdir()
        both = self.root / "secrets", [self.root / "logs"]
        self.assertIn("no test registered", written_secrets.check(*both)[0])
        self.write("secrets/1", self.SECRET.decode())
        self.assertIn("nothing to search in", written_secrets.check(*both)[0])


class HardeningTest(Tree):
    """A program built with all flags passes; each flag that is left out is noticed."""

    SOURCE = """#include <cstdio>
#include <cstring>
int main(int count, char** words) {
  char copy[16];
  std::strcpy(copy, words[0]);
  return std::puts(copy) + count;
}
"""
    COMPILED = ["-O2", "-g1", "-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=2", "-fPIE",
                *hardening.EVERY_FILE]
    LINKED = ["-pie", "-Wl,-z,relro,-z,now"]

    def faults(self, without=(), instead=()):
        self.write("a.cc", self.SOURCE)
        flags = [flag for flag in [*self.COMPILED, *self.LINKED] if flag not in without]
        program = self.root / "a"
        subprocess.run(["g++", "-w", self.root / "a.cc", "-o", program, *flags, *instead],
                       check=True)
        return hardening.faults(program)

    def test_a_program_with_all_of_it_passes(self):
        self.assertEqual(self.faults(), [])

    def test_each_flag_that_is_missing_is_noticed(self):
        for without, instead, said in (
                (["-D_FORTIFY_SOURCE=2"], [], "no copy is bounded"),
                (["-fstack-protector-strong"], [], "looks after its stack"),
                (["-fcf-protection"], ["-fcf-protection=none"], "1 files in it were compiled"),
                (["-pie", "-fPIE"], ["-no-pie", "-fno-pie"], "a fixed address"),
                (["-Wl,-z,relro,-z,now"], ["-Wl,-z,lazy"], "(-z now)"),
                (["-Wl,-z,relro,-z,now"], ["-Wl,-z,norelro,-z,now"], "(-z relro)"),
                ([], ["-Wl,-z,execstack"], "stack is executable"),
                (["-g1"], [], "no debug information")):
            if "-fcf-protection" in without and without[0] not in hardening.EVERY_FILE:
                continue
            with self.subTest(without, instead=instead):
                self.assertIn(said, "; ".join(self.faults(without, instead)))


if __name__ == "__main__":
    unittest.main()
