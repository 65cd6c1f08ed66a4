"""A small installation with Prometheus beside it, for prometheus_test.py: programs on loopback and
free ports, in a temporary folder, ended by their ids."""

import base64
import json
import os
import pathlib
import re
import socket
import subprocess
import time
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("SEATLOCK_BIN", ROOT / "build/release/bin"))
PATIENCE_S = 60


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(condition, what):
    """What `condition` gives, once that is true."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"waited in vain for {what}")
        time.sleep(0.1)


def fetch(url):
    """The body, or None if nobody answers with 200."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.read().decode()
    except OSError:
        return None


class Process:
    def __init__(self, log, *command):
        self.log = open(log, "ab")
        self.child = subprocess.Popen([str(part) for part in command], stdout=self.log,
                                      stderr=self.log, stdin=subprocess.DEVNULL)

    def end(self, kill=False):
        if self.child.poll() is None:
            self.child.kill() if kill else self.child.terminate()
        self.child.wait(PATIENCE_S)
        self.log.close()


class Browser:
    """One WebSocket that subscribes and then only reads, so that the edge can write to it."""

    def __init__(self, port, showtime):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall((f"GET /ws/seat-updates HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
                             "Connection: Upgrade\r\nUpgrade: websocket\r\n"
                             f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
                             ).encode())
        self.received = b""
        self.read_until(b"\r\n\r\n")
        self.send(json.dumps({"type": "subscribe", "showtimeId": showtime}).encode())
        self.read_until(b"current_seat_status")

    def send(self, text):
        mask = os.urandom(4)
        head = bytes([0x81, 0x80 | len(text)]) if len(text) < 126 else \
            bytes([0x81, 0xFE]) + len(text).to_bytes(2, "big")
        self.socket.sendall(head + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(text)))

    def read_until(self, text):
        while text not in self.received:
            piece = self.socket.recv(65536)
            if not piece:
                raise AssertionError(f"the edge closed before {text!r}")
            self.received += piece

    def close(self):
        self.socket.close()


class Installation:
    """seatlockd on SQLite, another on Redis, an edge of the first one, Prometheus over all."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.processes = []
        self.browsers = []
        names = ("grpc", "admin", "redis_grpc", "redis_admin", "redis", "edge", "edge_admin",
                 "prometheus")
        self.ports = {name: free_port() for name in names}
        self.service = None

    def address(self, name):
        return f"127.0.0.1:{self.ports[name]}"

    def start(self):
        self.start_service()
        self.run("redis-server", "--port", self.ports["redis"], "--bind", "127.0.0.1", "--save", "",
                 "--appendonly", "yes", "--dir", self.folder)
        wait_for(lambda: self.redis_answers(), "Redis")
        self.run(BIN / "seatlockd", f"--listen={self.address('redis_grpc')}",
                 f"--admin-listen={self.address('redis_admin')}",
                 f"--store=redis://{self.address('redis')}?profile=relaxed")
        self.run(BIN / "seatlock-edge", f"--listen={self.address('edge')}",
                 f"--admin-listen={self.address('edge_admin')}",
                 f"--upstream={self.address('grpc')}")
        for admin in ("admin", "redis_admin", "edge_admin"):
            wait_for(lambda: fetch(f"http://{self.address(admin)}/readyz"), admin)
        self.start_prometheus()

    def start_service(self):
        self.service = self.run(BIN / "seatlockd", f"--listen={self.address('grpc')}",
                                f"--admin-listen={self.address('admin')}",
                                f"--store=sqlite:{self.folder}/seatlock.db")
        wait_for(lambda: fetch(f"http://{self.address('admin')}/readyz"), "seatlockd")

    def start_prometheus(self):
        """The repository's own configuration, but for whom it scrapes and how often."""
        text = (ROOT / "deploy/prometheus/prometheus.yml").read_text()
        text = text.replace("127.0.0.1:9101",
                            f"{self.address('admin')}, {self.address('redis_admin')}")
        text = text.replace("127.0.0.1:9102", self.address("edge_admin"))
        text = re.sub(r"(scrape|evaluation)_interval: 15s", r"\1_interval: 1s", text)
        text = text.replace("rules/*.yml", str(ROOT / "deploy/prometheus/rules/*.yml"))
        config = self.folder / "prometheus.yml"
        config.write_text(text)
        self.run("prometheus", f"--config.file={config}",
                 f"--storage.tsdb.path={self.folder}/tsdb",
                 f"--web.listen-address={self.address('prometheus')}")
        wait_for(lambda: fetch(f"http://{self.address('prometheus')}/-/ready"), "Prometheus")

    def run(self, program, *args):
        log = self.folder / f"{pathlib.Path(program).name}.log"
        process = Process(log, program, *args)
        self.processes.append(process)
        return process

    def redis_answers(self):
        try:
            with socket.create_connection(("127.0.0.1", self.ports["redis"]), timeout=5) as link:
                link.sendall(b"PING\r\n")
                return link.recv(16) == b"+PONG\r\n"
        except OSError:
            return False

    def seatctl(self, *args, server="grpc"):
        """Its exit code: 0 done, 3 the service is away, 4 the seat is taken."""
        command = [BIN / "seatctl", f"--server={self.address(server)}", "--timeout=2s", *args]
        return subprocess.run(command,
                              capture_output=True, timeout=PATIENCE_S, check=False).returncode

    def lock(self, showtime, seat, session, server="grpc"):
        return self.seatctl("lock", showtime, seat, "--session", session, server=server)

    def open_browser(self, showtime):
        self.browsers.append(Browser(self.ports["edge"], showtime))

    def query(self, expression):
        """The values of an instant query."""
        url = f"http://{self.address('prometheus')}/api/v1/query?" + urllib.parse.urlencode(
            {"query": expression})
        answer = fetch(url)
        if answer is None:
            return []
        return [float(each["value"][1]) for each in json.loads(answer)["data"]["result"]]

    def end(self):
        for browser in self.browsers:
            browser.close()
        for process in reversed(self.processes):
            process.end()
