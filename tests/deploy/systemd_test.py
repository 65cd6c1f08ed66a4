"""The units, as far as they can be judged without being started: systemd's own verdicts.

What they do to the running programs is packages_test.py's. Measured: 1 s.
"""

import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from tests.deploy.programs import ROOT

UNITS = ROOT / "deploy/systemd"
NAMES = ["seatlockd.service", "seatlock-edge.service"]
EXPOSURE_MAX = 2.0


def analyze(*words) -> subprocess.CompletedProcess:
    return subprocess.run(["systemd-analyze", *map(str, words)], capture_output=True, text=True)


def exposure(unit: pathlib.Path) -> float:
    said = analyze("security", "--offline=true", "--no-pager", unit).stdout
    return float(re.search(r"Overall exposure level for \S+: ([\d.]+)", said)[1])


class SystemdTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def copy(self, name: str, old: str = "", new: str = "") -> pathlib.Path:
        """The unit with `new` for `old`. "verify" wants programs that are on this machine."""
        text = (UNITS / name).read_text()
        self.assertIn(old, text)
        text = re.sub(
            r"ExecStart=\S+", f"ExecStart={shutil.which('true')}", text.replace(old, new)
        )
        path = self.folder / name
        path.write_text(re.sub(r"Documentation=.*", "", text))
        return path

    def test_a_breach_of_a_unit_could_do_little(self):
        for name in NAMES:
            with self.subTest(name):
                self.assertLessEqual(exposure(UNITS / name), EXPOSURE_MAX)

    def test_the_verdict_would_show_what_is_left_out(self):
        open_one = self.copy(NAMES[0], "SystemCallFilter=@system-service\n")
        self.assertGreater(exposure(open_one), exposure(UNITS / NAMES[0]))

    def test_systemd_understands_every_line(self):
        for name in NAMES:
            with self.subTest(name):
                said = analyze("verify", "--man=no", self.copy(name))
                self.assertEqual((said.returncode, said.stdout + said.stderr), (0, ""))

    def test_systemd_understands_the_lines_for_secrets_and_programs_get_copies(self):
        for name in NAMES:
            with self.subTest(name):
                unit = self.copy(name)
                drop_in = (UNITS / f"{name}.d/secrets.conf").read_text()
                unit.write_text(unit.read_text() + drop_in)
                said = analyze("verify", "--man=no", unit)
                self.assertEqual((said.returncode, said.stdout + said.stderr), (0, ""))
                loaded = re.findall(r"^LoadCredential=(\S+?):/etc/seatlock/secrets/", drop_in, re.M)
                named = re.findall(r"^Environment=SEATLOCK_\w+=%d/(\S+)$", drop_in, re.M)
                self.assertEqual(sorted(loaded), sorted(named))

    def test_each_file_of_the_lines_for_secrets_is_one_that_the_script_makes(self):
        made = subprocess.run([ROOT / "deploy/secrets/make.sh", self.folder / "secrets"])
        self.assertEqual(made.returncode, 0)
        for name in NAMES:
            drop_in = (UNITS / f"{name}.d/secrets.conf").read_text()
            for path in re.findall(r":/etc/seatlock/(secrets/\S+)", drop_in):
                self.assertTrue((self.folder / path).is_file(), path)

    def test_a_line_that_it_does_not_understand_is_noticed(self):
        said = analyze(
            "verify", "--man=no", self.copy(NAMES[0], "WatchdogSec=60", "WatchdogSecs=60")
        )
        self.assertIn("WatchdogSecs", said.stderr)


if __name__ == "__main__":
    unittest.main()
