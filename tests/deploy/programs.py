"""Programs that a test starts on loopback and ends by their ids, and waiting for what they do."""

import contextlib
import os
import pathlib
import random
import re
import socket
import subprocess
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("SEATLOCK_BIN", ROOT / "build/release/bin")).resolve()
# Far more than anything takes; what hangs fails the test then.
SECONDS_MAX = 60
FREE_PORT_MIN = 10_000
GIVEN = set()


def free_port():
    """Below those that connections take by themselves: no connection has it when a program that
    was ended is started there again."""
    first_of_connections = int(
        pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        port = random.randrange(FREE_PORT_MIN, max(first_of_connections, FREE_PORT_MIN + 1_000))
        if port in GIVEN:
            continue
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            GIVEN.add(port)
            return port


def until(condition, what, seconds_max=SECONDS_MAX):
    """Waits until `condition()` is true, and returns what it gave."""
    end = time.monotonic() + seconds_max
    while not (value := condition()):
        if time.monotonic() > end:
            raise AssertionError(
                f"not within {seconds_max} s: {what() if callable(what) else what}")
        time.sleep(0.05)
    return value


def fetch(url):
    """The body of a 200; anything else is an OSError."""
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read().decode()


def is_up(url):
    with contextlib.suppress(OSError):
        fetch(url)
        return True
    return False


def keep_written(name, text):
    """For the search of secrets at the end of a test run (tests/checks/written_secrets.py)."""
    if folder := os.environ.get("SEATLOCK_TEST_LOGS"):
        with open(f"{folder}/{os.getpid()}-{name}", "a", encoding="utf-8") as file:
            file.write(text)


def register_secrets(*files):
    """What is in these files must stand in nothing that is written during the run."""
    if folder := os.environ.get("SEATLOCK_TEST_SECRETS"):
        with open(f"{folder}/{os.getpid()}", "a", encoding="utf-8") as out:
            for file in files:
                lines = pathlib.Path(file).read_text().splitlines()
                out.writelines(f"{line}\n" for line in lines if "-----" not in line)


class Program:
    """Started when it is made, until `ready()` is true, in `folder`. Its output goes to a file
    there, which is shown if it fails. As a context it is ended at the end."""

    def __init__(self, folder, name, command, ready, environment=None):
        self.log = pathlib.Path(folder) / f"{name}.log"
        self.name, self.ready = name, ready
        self.command = [str(word) for word in command]
        self.environment = {**os.environ, **(environment or {})}
        self.process = None
        self.start()

    def start(self):
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=self.environment, cwd=self.log.parent)
        try:
            until(self._is_ready, lambda: f"{self.name} is ready: {self.log.read_text()[-2000:]}")
        except BaseException:
            self.kill()
            raise

    def _is_ready(self):
        if self.process.poll() is not None:
            raise AssertionError(f"{self.name} ended:\n{self.log.read_text()[-4000:]}")
        return self.ready()

    def kill(self):
        self.process.kill()
        self.process.wait()
        keep_written(self.log.name, self.log.read_text(errors="replace"))

    def stop(self):
        """Its exit code, also if it ended before."""
        self.process.terminate()
        try:
            code = self.process.wait(SECONDS_MAX)
            keep_written(self.log.name, self.log.read_text(errors="replace"))
            return code
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class Served(Program):
    """One of our programs: it listens at `address`, and at `admin` for whoever operates it."""

    def __init__(self, folder, name, program, *flags, port=None, admin_port=None, environment=None):
        self.port, self.admin_port = port or free_port(), admin_port or free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.admin = f"127.0.0.1:{self.admin_port}"
        command = [BIN / program, f"--listen={self.address}", f"--admin-listen={self.admin}",
                   *flags]
        super().__init__(folder, name, command, lambda: is_up(f"http://{self.admin}/readyz"),
                         environment)

    def keep_what_it_tells(self):
        """Its metrics, version and settings, for the search of secrets."""
        for page in ("metrics", "version", "readyz"):
            keep_written(f"{self.name}.{page}", fetch(f"http://{self.admin}/{page}"))
        settings = subprocess.run([*self.command, "--print-config"], env=self.environment,
                                  capture_output=True, text=True, check=False)
        keep_written(f"{self.name}.settings", settings.stdout + settings.stderr)

    def metric(self, name):
        """Of all label sets together."""
        text = fetch(f"http://{self.admin}/metrics")
        return sum(float(value) for value in re.findall(rf"^{name}(?:{{.*}})? (\S+)$", text, re.M))


class Seatlockd(Served):
    def __init__(self, folder, name="seatlockd", store="memory:", *flags, **ports):
        super().__init__(folder, name, "seatlockd", f"--store={store}", *flags, **ports)


class Edge(Served):
    def __init__(self, folder, name, upstream, *flags):
        super().__init__(folder, name, "seatlock-edge", f"--upstream={upstream}", *flags)

    def connections(self):
        return self.metric("seatlock_edge_connections")
