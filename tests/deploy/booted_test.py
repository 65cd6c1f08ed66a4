"""The packages on a Debian that is booted: systemd is the first process of a container, and the
units do there what they say, the watchdog's kill among it. Measured: 40 s, and three minutes of
debootstrap before, with a load of 15.
"""

import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.dont_write_bytecode = True
from tests.deploy import debian_tree
from tests.deploy.packages_test import PROGRAMS, SERVICES, built

# Far more than anything takes.
SECONDS_MAX = 120
SYSTEMD = ("dbus", "systemd", "systemd-sysv")


def wait_until(what: str, condition) -> None:
    deadline = time.monotonic() + SECONDS_MAX
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"it never came that {what}")
        time.sleep(0.1)


class BootedTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        debs = built(PROGRAMS)
        cls.tree = cls.enterClassContext(debian_tree.DebianTree(SYSTEMD))
        for deb in debs:
            cls.tree.path.joinpath("root", deb.name).write_bytes(deb.read_bytes())
        cls.tree.run("sh", "-c", "apt-get install -y -q --no-install-recommends /root/*.deb")
        cls.boot()

    @classmethod
    def boot(cls):
        words = ["systemd-nspawn", "-q", "--register=no", "--keep-unit", "--private-network"]
        log = cls.enterClassContext(tempfile.TemporaryFile())
        cls.container = subprocess.Popen(
            [*words, "-D", cls.tree.path, "-b"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        cls.first = ""
        cls.addClassCleanup(cls.end)
        children = pathlib.Path(f"/proc/{cls.container.pid}/task/{cls.container.pid}/children")
        wait_until("the container has a first process", lambda: children.read_text().split())
        cls.first = children.read_text().split()[0]
        for name in SERVICES:
            wait_until(f"{name} is active", lambda: cls.show(name, "ActiveState") == "active")

    @classmethod
    def end(cls):
        try:
            if cls.first:
                cls.inside("systemctl", "poweroff")
                cls.container.wait(SECONDS_MAX)
        finally:
            cls.container.kill()
            cls.container.wait()

    @classmethod
    def inside(cls, *words: str) -> subprocess.CompletedProcess:
        enter = ["nsenter", "-t", cls.first, "-m", "-u", "-i", "-n", "-p", "-r", "-w", "--"]
        env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive"}
        return subprocess.run([*enter, *words], capture_output=True, text=True, env=env)

    @classmethod
    def show(cls, unit: str, name: str) -> str:
        return cls.inside("systemctl", "show", "-p", name, "--value", unit).stdout.strip()

    def drop_in(self, unit: str, *lines: str):
        folder = self.tree.path / f"etc/systemd/system/{unit}.service.d"
        folder.mkdir(parents=True, exist_ok=True)
        folder.joinpath("test.conf").write_text("\n".join(["[Service]", *lines, ""]))
        self.inside("systemctl", "daemon-reload")
        done = self.inside("systemctl", "restart", unit)
        self.assertEqual(done.returncode, 0, done.stderr)

    def lock(self, seat: str):
        done = self.inside("seatctl", "lock", "123", seat, "--session", "alice")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_the_units_start_and_serve_with_the_rights_that_they_give(self):
        self.lock("A01")
        self.assertEqual(self.show("seatlockd", "StatusText"), "serving on 127.0.0.1:50051")
        for unit in SERVICES:
            process = self.show(unit, "MainPID")
            status = self.inside("cat", f"/proc/{process}/status").stdout
            self.assertRegex(status, "CapBnd:\\s+0{16}\n")
            self.assertRegex(status, "NoNewPrivs:\\s+1\n")
            self.assertRegex(status, "Seccomp:\\s+2\n")
            self.assertNotRegex(status, "Uid:\\s+0\\s")
            mounts = self.inside("cat", f"/proc/{process}/mounts").stdout
            self.assertRegex(mounts, r"(?m)^\S+ / \S+ ro[, ]")

    def test_a_program_that_stands_still_is_ended_and_started_anew(self):
        for unit in SERVICES:
            with self.subTest(unit):
                self.drop_in(unit, "WatchdogSec=3")
                before = self.show(unit, "MainPID")
                # By the shell's own: the smallest Debian has no program of that name.
                self.assertEqual(self.inside("sh", "-c", f"kill -STOP {before}").returncode, 0)
                wait_until(
                    f"{unit} is started anew",
                    lambda: self.show(unit, "MainPID") not in (before, "0")
                    and self.show(unit, "ActiveState") == "active",
                )
                log = self.inside("journalctl", "-u", unit, "--no-pager").stdout
                self.assertIn("Watchdog timeout", log)
                self.assertEqual(self.show(unit, "NRestarts"), "1")
        self.lock("A02")

    def test_a_drain_may_take_longer_than_the_unit_would_wait(self):
        variable = "Environment=SEATLOCK_DRAIN_DELAY=6s"
        self.drop_in("seatlockd", "TimeoutStopSec=2", variable)
        self.inside("systemctl", "stop", "seatlockd")
        self.assertEqual(self.show("seatlockd", "Result"), "success")
        self.assertEqual(self.show("seatlockd", "ExecMainStatus"), "0")
        self.inside("systemctl", "start", "seatlockd")

    def test_a_wrong_setting_is_not_tried_again(self):
        folder = self.tree.path / "etc/systemd/system/seatlock-edge.service.d"
        with self.assertRaises(AssertionError):
            self.drop_in("seatlock-edge", "Environment=SEATLOCK_EDGE_THREADS=many")
        wait_until("it has failed", lambda: self.show("seatlock-edge", "ActiveState") == "failed")
        self.assertEqual(self.show("seatlock-edge", "ExecMainStatus"), "2")
        folder.joinpath("test.conf").unlink()
        self.inside("systemctl", "daemon-reload")
        self.inside("systemctl", "start", "seatlock-edge")

    def test_an_upgrade_restarts_what_runs_and_loses_no_seat(self):
        self.lock("A03")
        before = self.show("seatlockd", "MainPID")
        done = self.inside("sh", "-c", "dpkg -i /root/*.deb")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn(self.show("seatlockd", "MainPID"), (before, "0"))
        self.assertIn("A03", self.inside("seatctl", "get", "123").stdout)


if __name__ == "__main__":
    unittest.main()
