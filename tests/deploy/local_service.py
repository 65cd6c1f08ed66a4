"""seatlockd, and an edge beside it, in a folder and on ports of their own, for one test."""

import json
import os
import pathlib
import subprocess
import tempfile
import time
import urllib.request

BIN = pathlib.Path(os.environ.get("SEATLOCK_BIN", "build/release/bin")).resolve()
START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 60


class Program:
    """One of our programs, which says in its log where it listens."""

    def __init__(self, folder, name, *flags):
        self.name = name
        self.log = pathlib.Path(folder) / f"{name}.log"
        with open(self.log, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [BIN / name, "--listen=127.0.0.1:0", "--admin-listen=127.0.0.1:0",
                 "--log-format=json", *flags], stderr=log, cwd=folder)
        self.address = self.await_line("listening")
        self.admin = self.await_line("admin listening")
        self.await_ready()

    def await_line(self, message):
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline and self.process.poll() is None:
            for line in self.log.read_text(encoding="utf-8").splitlines(keepends=True):
                if line.endswith("\n") and json.loads(line)["msg"] == message:
                    return json.loads(line)["address"]
            time.sleep(0.02)
        raise AssertionError(f"{self.name} did not say {message}:\n{self.log.read_text()}")

    def await_ready(self):
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"http://{self.admin}/readyz", timeout=5):
                    return
            except OSError:
                time.sleep(0.02)
        raise AssertionError(f"{self.name} is not ready:\n{self.log.read_text()}")

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        try:
            return self.process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise


class LocalService:
    """Ends with the test, and takes its folder along."""

    def __init__(self, case):
        folder = tempfile.TemporaryDirectory()
        case.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.seatlockd = Program(self.folder, "seatlockd", "--store=sqlite:seatlock.db")
        case.addCleanup(self.seatlockd.stop)
        self.edge = Program(self.folder, "seatlock-edge", f"--upstream={self.seatlockd.address}")
        case.addCleanup(self.edge.stop)

    @property
    def env(self):
        return {"SEATLOCK_BIN": str(BIN), "SEATCTL_SERVER": self.seatlockd.address}

    @property
    def replaced(self):
        """The default addresses, which pages show, and where they are here."""
        return {"127.0.0.1:50051": self.seatlockd.address, "127.0.0.1:9101": self.seatlockd.admin,
                "127.0.0.1:8080": self.edge.address, "127.0.0.1:9102": self.edge.admin}
