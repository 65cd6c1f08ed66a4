"""The commands that README.md and docs/ show, run as they stand there, and what they print.

Took 80 s on 2 cores with seven other builds under way, and 6 minutes where the npm packages and the
site had to be built first."""

import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import unittest

from tests.deploy.local_service import LocalService
from tests.deploy.pages import blocks_of, is_printed, run_blocks
from tests.deploy.programs import ROOT, free_port

# ./dev up builds what has changed since, the site too.
UP_SECONDS_MAX = 900
STOP_SECONDS_MAX = 60


class PagesTest(unittest.TestCase):
    """The running of pages itself: what is wrong on a page is found."""

    def run_page(self, *lines, **options):
        with tempfile.TemporaryDirectory() as folder:
            page = pathlib.Path(folder) / "page.md"
            page.write_text("\n".join(lines) + "\n", encoding="utf-8")
            return run_blocks(self, str(page), cwd=folder, **options)

    def opening(self, language):
        return f"```{language} test={'.'.join(self.id().split('.')[-2:])}"

    def test_what_is_shown_may_differ_in_times_and_ids_alone(self):
        self.run_page(self.opening("console"),
                      "$ echo at 2026-11-30T12:00:00Z $((1 + 1)); seq 3; echo anything",
                      "at 2020-01-01T00:00:00.5Z 2", "1", "…", "any…", "```")
        for shown in (["at 2020-01-01T00:00:00Z 3"], [], ["at 2020-01-01T00:00:00Z 2", "more"]):
            with self.subTest(shown=shown), self.assertRaisesRegex(AssertionError, "differs"):
                self.run_page(self.opening("console"), "$ echo at 2026-11-30T12:00:00Z 2", *shown,
                              "```")

    def test_a_command_that_fails_is_found(self):
        self.run_page(self.opening("sh"), "false; echo $?", "word=one", "test $word = one \\",
                      "  && true", "```")
        with self.assertRaisesRegex(AssertionError, "page.md:1: . false"):
            self.run_page(self.opening("sh"), "true", "false", "true", "```")

    def test_a_page_without_a_block_for_the_test_is_found(self):
        with self.assertRaisesRegex(AssertionError, "no block says"):
            self.run_page("```sh test=Other.test", "true", "```")

    def test_what_does_not_end_by_itself_is_ended(self):
        printed = self.run_page(self.opening("sh"), "echo begun; sleep 1000", "```", until="begun")
        self.assertEqual(printed, "begun\n")


class ConceptsTest(unittest.TestCase):
    def test_page(self):
        service = LocalService(self)
        run_blocks(self, "docs/concepts.md", cwd=service.folder, env=service.env)


class ApiPageTest(unittest.TestCase):
    def test_page(self):
        service = LocalService(self)
        run_blocks(self, "docs/api.md", env=service.env, replaced=service.replaced)


class OperatingTest(unittest.TestCase):
    def setUp(self):
        self.service = LocalService(self)
        for words in ("lock 123 A06 --session alice", "book 123 A06 --session alice --order o-1"):
            subprocess.run([f"{self.service.env['SEATLOCK_BIN']}/seatctl", *words.split()],
                           env={**os.environ, **self.service.env}, check=True,
                           stdout=subprocess.DEVNULL)

    def run_here(self):
        return run_blocks(self, "docs/operating.md", cwd=self.service.folder,
                          env=self.service.env, replaced=self.service.replaced)

    def test_admin_pages(self):
        self.run_here()

    def test_store(self):
        self.run_here()

    def test_restore(self):
        seatlockd = f"{self.service.env['SEATLOCK_BIN']}/seatlockd"
        subprocess.run([seatlockd, "store", "backup", "backup.db", "--store=sqlite:seatlock.db"],
                       cwd=self.service.folder, check=True, stdout=subprocess.DEVNULL)
        self.assertEqual(self.service.seatlockd.stop(), 0)
        self.run_here()
        self.assertTrue((self.service.folder / "seatlock.db.before-restore").is_file())


class InstallTest(unittest.TestCase):
    """The packages go into an empty project, as npm brings what they depend on today."""

    @classmethod
    def setUpClass(cls):
        subprocess.run(["./dev", "pack"], cwd=ROOT, check=True)

    def run_in_project(self, page, *modules):
        with tempfile.TemporaryDirectory() as folder:
            for name in ("client", "react"):
                shutil.copy(ROOT / f"build/npm/seatlock-{name}.tgz", folder)
            (pathlib.Path(folder) / "package.json").write_text('{"private": true}')
            run_blocks(self, page, cwd=folder)
            for module in modules:
                self.assertTrue((pathlib.Path(folder) / "node_modules" / module).is_dir(), module)

    def test_nextjs(self):
        self.run_in_project("docs/nextjs.md", "@seatlock/client", "@seatlock/react", "react")

    def test_express(self):
        self.run_in_project("docs/express.md", "@seatlock/client", "@grpc/grpc-js", "express")

    def test_react(self):
        self.run_in_project("docs/react.md", "@seatlock/client", "@seatlock/react", "react")

    def test_subscriber(self):
        self.run_in_project("docs/subscriber.md", "@seatlock/client", "@grpc/grpc-js")


class FirstMinuteTest(unittest.TestCase):
    """README.md: ./dev up, a seat that is locked, sold, and still sold after Ctrl-C."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        names = ("LISTEN", "ADMIN_LISTEN", "EDGE_LISTEN", "EDGE_ADMIN_LISTEN", "SITE_LISTEN")
        listens = {f"SEATLOCK_{name}": f"127.0.0.1:{free_port()}" for name in names}
        self.env = {**listens, "SEATLOCK_DATA": str(self.folder / "var"),
                    "SEATCTL_SERVER": listens["SEATLOCK_LISTEN"]}
        self.site = listens["SEATLOCK_SITE_LISTEN"]

    def test_up(self):
        first, *_ = blocks_of(self, "README.md")
        up = self.start(first.text)
        self.addCleanup(self.stop, up)
        printed = run_blocks(self, "README.md", env=self.env, skip=1, until="A06 +booked",
                             awaited={"./dev frames": "current_seat_status"})
        for part in ('"status":"locked"', "SEAT_TAKEN", "\n4\n", '"status":"booked"'):
            self.assertIn(part, printed)
        self.assertEqual(self.stop(up), 0)
        again = self.start(first.text)
        self.addCleanup(self.stop, again)
        got = subprocess.run(["build/release/bin/seatctl", "get", "123"], cwd=ROOT, text=True,
                             env={**os.environ, **self.env}, check=True, capture_output=True)
        self.assertRegex(got.stdout, r"A06 +booked")
        self.assertEqual(self.stop(again), 0)

    def start(self, command):
        log = self.folder / "up.log"
        with open(log, "w", encoding="utf-8") as out:
            up = subprocess.Popen(["bash", "-c", command], cwd=ROOT, stdout=out, stderr=out,
                                  env={**os.environ, **self.env}, start_new_session=True)
        if not is_printed(log, f"http://{self.site}/showtimes/123", UP_SECONDS_MAX, up):
            self.stop(up)
            self.fail(f"./dev up did not come up:\n{log.read_text()}")
        return up

    @staticmethod
    def stop(up):
        """Ctrl-C, which the terminal sends to all of the foreground."""
        if up.poll() is None:
            os.killpg(up.pid, signal.SIGINT)
        return up.wait(STOP_SECONDS_MAX)


if __name__ == "__main__":
    unittest.main()
