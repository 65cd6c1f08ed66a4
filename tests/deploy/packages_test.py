"""The Debian packages, as somebody would use them on a fresh machine: built, installed with apt
into a new Debian, used, installed over themselves, removed and purged.

The programs run there as their units say, so far as that can be had without systemd as PID 1
(confined.py), file system and filter of system calls included. Measured: 286 s beside other
builds, a third of it debootstrap.
"""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.dont_write_bytecode = True
from tests.deploy import debian_tree

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parents[1]
SERVICES = ["seatlock-edge", "seatlockd"]
PROGRAMS = ["seatctl", *SERVICES]
PACKAGES = ["libseatlock-dev", *PROGRAMS]
# What who builds on the library has beside it.
COMPILERS = ["cmake", "g++", "make"]
# Far more than anything takes.
SECONDS_MAX = 120


def built(names: list[str]) -> list[pathlib.Path]:
    """These packages, in this order."""
    done = subprocess.run([ROOT / "dev", "package"], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(done.stdout[-4000:] + done.stderr[-4000:])
    found = {
        path.name.split("_")[0]: path
        for path in map(pathlib.Path, done.stdout.split())
        if path.suffix == ".deb"
    }
    return [ROOT / found[name] for name in names]


def depends(debs: list[pathlib.Path]) -> list[str]:
    """The names of the packages that ours depend on."""
    names = set()
    for deb in debs:
        words = ["dpkg-deb", "--field", deb, "Depends"]
        text = subprocess.run(words, capture_output=True, text=True, check=True).stdout
        names |= {one.split()[0] for one in text.split(",")}
    return sorted(names)


class Running:
    """The program of a unit of `tree`, started as its unit says and ready. Use as a context."""

    def __init__(self, tree: debian_tree.DebianTree, unit: str, *further: str):
        self._tree, self._unit, self._further = tree, unit, further

    def __enter__(self) -> "Running":
        self._path = self._tree.path / "run" / f"{self._unit}.notify"
        self._manager = debian_tree.notify_socket(self._path)
        self._log = tempfile.TemporaryFile()
        notify = [f"NOTIFY_SOCKET=/run/{self._unit}.notify", "WATCHDOG_USEC=4000000"]
        command = [sys.executable, "-B", HERE / "confined.py", self._tree.path, self._unit]
        self._process = subprocess.Popen(
            self._tree.in_namespace(*command, *notify, *self._further),
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        try:
            self.wait_for("READY=1")
        except BaseException:
            self.__exit__()
            raise
        return self

    def wait_for(self, word: str) -> str:
        """The next message of the program that has `word`."""
        deadline = time.monotonic() + SECONDS_MAX
        while time.monotonic() < deadline:
            ended = self._process.poll() is not None
            try:
                message = self._manager.recv(4096).decode()
            except TimeoutError:
                if ended:
                    break
                continue
            if word in message:
                return message
        raise AssertionError(f"no {word}: {self.output()}")

    def output(self) -> str:
        """What the program has printed."""
        return os.pread(self._log.fileno(), 1 << 20, 0).decode(errors="replace")

    def stop(self) -> int:
        """SIGTERM, as systemd sends it. The exit code."""
        return self._end(signal.SIGTERM)

    def _end(self, number: int) -> int:
        if self._process.poll() is None:
            self._process.send_signal(number)
        return self._process.wait(SECONDS_MAX)

    def __exit__(self, *_) -> None:
        if self._process.poll() is None:
            self._end(signal.SIGKILL)
        self._manager.close()
        self._log.close()
        self._path.unlink()


class PackagesTest(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.debs = built(PACKAGES)
        cls.tree = cls.enterClassContext(debian_tree.DebianTree())
        # What we depend on is Debian's, and not what is looked for after a purge.
        wanted = [*depends(cls.debs), *COMPILERS]
        cls.tree.run("apt-get", "install", "-y", "-q", "--no-install-recommends", *wanted)
        cls.before = cls.tree.files()
        for deb in cls.debs:
            cls.tree.path.joinpath("root", deb.name).write_bytes(deb.read_bytes())

    def setUp(self):
        self.addCleanup(self.tree.run, "dpkg", "--purge", *PACKAGES)
        self.install()

    def install(self):
        self.tree.run(
            "sh",
            "-c",
            "apt-get install -y -q --reinstall -o Dpkg::Options::=--force-confdef /root/*.deb",
        )

    def seatctl(self, *words: str) -> str:
        done = self.tree.as_user("nobody", "seatctl", *words)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def changed(self) -> list[str]:
        after = self.tree.files()
        names = self.before.keys() | after.keys()
        return sorted(name for name in names if self.before.get(name) != after.get(name))

    def remove_data(self):
        self.tree.run("rm", "-r", "/var/lib/seatlock")
        self.tree.run("deluser", "--quiet", "--system", "seatlock")

    def test_installs_serves_upgrades_and_leaves_nothing_but_seats(self):
        with Running(self.tree, "seatlockd.service") as service:
            with Running(self.tree, "seatlock-edge.service") as edge:
                self.use()
                # Both are asked whether their threads get on, under the filter too.
                self.assertIn("WATCHDOG=1", service.wait_for("WATCHDOG=1"))
                self.assertIn("WATCHDOG=1", edge.wait_for("WATCHDOG=1"))
                self.assertEqual(edge.stop(), 0, edge.output())
            self.assertEqual(service.stop(), 0, service.output())
            self.assertIn("STOPPING=1", service.wait_for("STOPPING=1"))
        store = "--store=sqlite:/var/lib/seatlock/seatlock.db"
        self.tree.run("runuser", "-u", "seatlock", "--", "seatlockd", "store", "verify", store)
        self.upgrade_keeps_settings_and_seats()
        self.tree.run("apt-get", "remove", "-y", "-q", *PACKAGES)
        left = self.changed()
        self.assertIn("etc/seatlock/seatlockd.env", left)  # settings stay until the purge
        self.assertFalse([name for name in left if name.startswith("usr/")], left)
        said = self.tree.run("dpkg", "--purge", *PACKAGES)
        self.assertIn("/var/lib/seatlock still holds seats", said)
        accounts = [
            "etc/group",
            "etc/group-",
            "etc/gshadow",
            "etc/gshadow-",
            "etc/passwd",
            "etc/passwd-",
        ]
        accounts += ["etc/shadow", "etc/shadow-"]
        data = [name for name in self.changed() if name.startswith("var/lib/seatlock")]
        self.assertIn("var/lib/seatlock/seatlock.db", data)
        self.assertEqual([name for name in self.changed() if name not in data + accounts], [])
        self.remove_data()
        self.assertEqual([name for name in self.changed() if not name.endswith("-")], [])

    def use(self):
        frames = subprocess.Popen(
            self.tree.in_namespace("perl", str(ROOT / "dev.d/frames.pl"), "127.0.0.1:8080", "123"),
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            self.next_frame(frames, '"subscribed"')
            self.seatctl("lock", "123", "A06", "A07", "--session", "alice", "--ttl", "10m")
            self.next_frame(frames, '"seatId":"A06"', '"status":"locked"')
            self.seatctl("book", "123", "A06", "--session", "alice", "--order", "o1")
            self.next_frame(frames, '"seatId":"A06"', '"status":"booked"')
            self.seatctl("unlock", "123", "A07", "--session", "alice")
            self.next_frame(frames, '"seatId":"A07"', '"status":"unlocked"')
        finally:
            frames.kill()
            frames.communicate()
        self.assertIn("A06", self.seatctl("get", "123"))
        self.assertIn("123", self.seatctl("list"))
        for port in ("9101", "9102"):
            command = self.tree.in_namespace("curl", "-sf", f"http://127.0.0.1:{port}/readyz")
            self.assertEqual(subprocess.run(command, capture_output=True).returncode, 0)

    def next_frame(self, frames: subprocess.Popen, *words: str):
        for line in frames.stdout:
            if all(word in line for word in words):
                return
        self.fail(f"no frame with {words}")

    def upgrade_keeps_settings_and_seats(self):
        settings = self.tree.path / "etc/seatlock/seatlockd.env"
        before = settings.stat()
        with settings.open("a") as file:
            file.write("SEATLOCK_MAX_SESSION_SEATS=7\n")
        self.install()
        self.assertIn("SEATLOCK_MAX_SESSION_SEATS=7", settings.read_text())
        after = settings.stat()
        self.assertEqual(
            (after.st_mode, after.st_uid, after.st_gid),
            (before.st_mode, before.st_uid, before.st_gid),
        )
        with Running(self.tree, "seatlockd.service") as service:
            self.assertIn("A06", self.seatctl("get", "123"))
            refused = self.tree.as_user(
                "nobody", "seatctl", "lock", "9", *(f"B{n}" for n in range(8)), "--session", "bob"
            )
            self.assertIn("SESSION_SEAT_LIMIT", refused.stderr)
            self.assertEqual(service.stop(), 0, service.output())

    def test_a_project_is_built_on_the_library_and_sells_a_seat(self):
        project = self.tree.path / "tmp/project"
        shutil.copytree(ROOT / "examples/cpp-client", project)
        self.addCleanup(shutil.rmtree, project)
        self.addCleanup(self.remove_data)
        self.tree.run("cmake", "-S", "/tmp/project", "-B", "/tmp/project/build")
        self.tree.run("cmake", "--build", "/tmp/project/build")
        flags = "$(pkg-config --cflags --libs seatlock)"
        self.tree.run("sh", "-c", f"cd /tmp/project && g++ main.cc -o one-line {flags}")
        with Running(self.tree, "seatlockd.service"):
            for seat, program in (("C01", "build/cpp-client"), ("C02", "one-line")):
                words = [f"/tmp/project/{program}", "127.0.0.1:50051", "123", seat, "alice"]
                done = self.tree.as_user("nobody", *words)
                self.assertIn(f"booked {seat}", done.stdout, done.stderr)

    def test_a_purge_without_seats_leaves_nothing(self):
        self.tree.run("dpkg", "--purge", *PACKAGES)
        # passwd- and its like are what adduser and deluser keep of the files before.
        self.assertEqual([name for name in self.changed() if not name.endswith("-")], [])

    def test_the_units_are_enabled_and_settings_are_for_their_user_alone(self):
        wanted = self.tree.path / "etc/systemd/system/multi-user.target.wants"
        for unit in ("seatlockd.service", "seatlock-edge.service"):
            self.assertEqual(os.readlink(wanted / unit), f"/lib/systemd/system/{unit}")
        settings = self.tree.path / "etc/seatlock/seatlockd.env"
        self.assertEqual(oct(settings.stat().st_mode & 0o777), "0o640")
        group = self.tree.run("getent", "group", "seatlock").split(":")[2]
        self.assertEqual(settings.stat().st_gid, int(group))
        self.assertEqual(
            oct(self.tree.path.joinpath("var/lib/seatlock").stat().st_mode & 0o777), "0o700"
        )

    def test_an_administrators_choices_outlive_an_upgrade(self):
        # What "systemctl disable" does, which is not in a system without systemd.
        wanted = self.tree.path / "etc/systemd/system/multi-user.target.wants"
        wanted.joinpath("seatlock-edge.service").unlink()
        settings = self.tree.path / "etc/seatlock/seatlockd.env"
        settings.chmod(0o600)
        self.install()
        self.assertFalse(wanted.joinpath("seatlock-edge.service").is_symlink())
        self.assertTrue(wanted.joinpath("seatlockd.service").is_symlink())
        self.assertEqual(oct(settings.stat().st_mode & 0o777), "0o600")

    def test_the_filter_of_system_calls_bites(self):
        # The control of what the first test shows: with one set less the store cannot be opened.
        with self.assertRaisesRegex(AssertionError, "no READY=1"):
            with Running(self.tree, "seatlockd.service", "SystemCallFilter+=~@sync"):
                pass


if __name__ == "__main__":
    unittest.main()
