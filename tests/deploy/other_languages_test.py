"""Runs the commands of docs/other-languages.md for other languages than C++, as they stand there.

Each in a folder that has what a checkout has, against a seatlockd of its own.
Measured: 84 s on 2 busy cores, of which Go and Java are 35 s each.
"""

import os
import pathlib
import tempfile
import unittest

from tests.deploy.pages import run_blocks
from tests.deploy.programs import ROOT, Seatlockd

PAGE = "docs/other-languages.md"
# What the commands take from the checkout; what they make goes into build/ of the test's folder.
TAKEN = ["proto", "third_party", "examples", "node_modules"]


class OtherLanguagesTest(unittest.TestCase):
    def run_page(self):
        with tempfile.TemporaryDirectory() as name, Seatlockd(name) as seatlockd:
            folder = pathlib.Path(name)
            for part in TAKEN:
                (folder / part).symlink_to(ROOT / part)
            # Debian's python3 first: its packages are not seen by another one.
            env = {"PATH": f"/usr/bin:{os.environ['PATH']}", "HOME": name}
            return run_blocks(self, PAGE, cwd=folder, env=env,
                              replaced={"127.0.0.1:50051": seatlockd.address})

    def test_python(self):
        self.run_page()

    def test_go(self):
        self.run_page()

    def test_java(self):
        self.run_page()

    def test_buf_curl(self):
        self.run_page()


if __name__ == "__main__":
    unittest.main()
