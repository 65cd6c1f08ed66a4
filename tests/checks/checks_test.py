#!/usr/bin/env python3
"""The checks themselves: each finds what it is there for, in a tree made for it."""

import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import arrows  # noqa: E402
import files  # noqa: E402
import thread_safety  # noqa: E402


class Tree(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.root = pathlib.Path(self.folder.name)

    def write(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


class ArrowsTest(Tree):
    def breaches(self, path, *includes):
        self.write(path, "".join(f'#include "{i}"\n' for i in includes))
        return arrows.check_tree(self.root)

    def test_good_tree_passes(self):
        self.write("common/base/a.h", "#include <string>\n")
        self.write("services/seatlock/rpc/s.cc", '#include "services/seatlock/engine/e.h"\n'
                                                 "#include <grpcpp/grpcpp.h>\n")
        self.write("edge/main.cc", '#include "edge/ws/w.h"\n#include "common/runtime/flags.h"\n')
        self.write("edge/core/a_test.cc", '#include "tests/testing/t.h"\n')
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
            ("edge/core/x.h", "edge/ws/w.h"),
            ("edge/ws/x.h", "edge/upstream/u.h"),
            ("edge/main.cc", "services/seatlock/domain/types.h"),
            ("clients/cpp/x.h", "services/seatlock/domain/types.h"),
            ("clients/cpp/x.h", "tests/testing/t.h"),
            ("services/seatlock/engine/x.h", "grpcpp/grpcpp.h"),
            ("services/seatlock/domain/x.h", "seatlock/v1/seats.pb.h"),
            ("edge/core/x.h", "boost/beast/http.hpp"),
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

    def test_missing_changelog_is_found(self):
        self.write("CHANGELOG.md", "")
        self.assertIn("CHANGELOG.md", self.breaches()[0])


class ThreadSafetyTest(Tree):
    def test_files_that_hold_locks_are_chosen_also_through_their_header(self):
        self.write("common/a.h", "int x ABSL_GUARDED_BY(mu_);\n")
        self.write("common/a.cc", '#include "common/a.h"\n')
        self.write("common/b.cc", "int y;\n")
        chosen = [path for path in ("common/a.cc", "common/b.cc")
                  if thread_safety.holds_locks(self.root, self.root / path)]
        self.assertEqual(chosen, ["common/a.cc"])


if __name__ == "__main__":
    unittest.main()
