"""A small installation with Prometheus beside it, for prometheus_test.py: programs on loopback and
free ports, in a temporary folder, ended by their ids."""

import contextlib
import json
import pathlib
import re
import socket
import subprocess
import urllib.parse

from tests.deploy.programs import (
    BIN, ROOT, SECONDS_MAX, Edge, Program, Seatlockd, fetch, free_port, is_up, until)
from tests.deploy.websocket import Browser, is_live


def redis_answers(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 5) as link:
        link.sendall(b"PING\r\n")
        return link.recv(16) == b"+PONG\r\n"
    return False


class Installation:
    """seatlockd on SQLite, another on Redis with TLS, an edge of the first one, Prometheus over
    all."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.ends = contextlib.ExitStack()
        with contextlib.ExitStack() as undo:
            undo.callback(self.end)
            self.service = self.add(Seatlockd(self.folder, store="sqlite:seatlock.db"))
            self.redis_service = self.add(Seatlockd(
                self.folder, "seatlockd-on-redis",
                f"redis://127.0.0.1:{self.start_redis()}?profile=relaxed", *self.make_tls()))
            self.edge = self.add(Edge(self.folder, "seatlock-edge", self.service.address))
            self.prometheus = f"127.0.0.1:{free_port()}"
            self.start_prometheus()
            undo.pop_all()

    def make_tls(self):
        """Flags of a server that shows a certificate, which has signed itself."""
        self.ca, key = self.folder / "server.pem", self.folder / "server.key"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:prime256v1", "-nodes", "-days", "90", "-subj",
                        "/CN=seatlockd", "-addext", "subjectAltName=IP:127.0.0.1",
                        "-keyout", key, "-out", self.ca], check=True, capture_output=True)
        return f"--tls-cert={self.ca}", f"--tls-key={key}"

    def add(self, program):
        self.ends.callback(program.stop)
        return program

    def end(self):
        self.ends.close()

    def start_redis(self):
        port = free_port()
        command = ["redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "",
                   "--appendonly", "yes"]
        self.add(Program(self.folder, "redis", command, lambda: redis_answers(port)))
        return port

    def start_prometheus(self):
        """The repository's own configuration, but for whom it scrapes and how often."""
        text = (ROOT / "deploy/prometheus/prometheus.yml").read_text()
        text = text.replace("127.0.0.1:9101", f"{self.service.admin}, {self.redis_service.admin}")
        text = text.replace("127.0.0.1:9102", self.edge.admin)
        text = re.sub(r"(scrape|evaluation)_interval: 15s", r"\1_interval: 1s", text)
        text = text.replace("rules/*.yml", str(ROOT / "deploy/prometheus/rules/*.yml"))
        (self.folder / "prometheus.yml").write_text(text)
        command = ["prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=tsdb",
                   f"--web.listen-address={self.prometheus}"]
        self.add(Program(self.folder, "prometheus", command,
                         lambda: is_up(f"http://{self.prometheus}/-/ready")))

    def follow(self, showtime):
        """By `seatctl watch`, until the end."""
        command = [BIN / "seatctl", f"--server={self.service.address}", "watch", showtime]
        self.add(Program(self.folder, f"watch-{showtime}", command, lambda: True))

    def open_browser(self, showtime):
        """One that takes what the edge writes to it."""
        browser = Browser(("127.0.0.1", self.edge.port), None, showtime)
        self.ends.callback(browser.stop)
        browser.start()
        until(lambda: is_live(browser), lambda: f"a browser is live: {browser.closes}")

    def seatctl(self, *args, server=None):
        """Its exit code: 0 done, 3 the service is away, 4 the seat is taken."""
        tls = [f"--ca={self.ca}"] if server is self.redis_service else []
        command = [BIN / "seatctl", f"--server={(server or self.service).address}", "--timeout=2s",
                   *tls, *args]
        return subprocess.run(command, capture_output=True, timeout=SECONDS_MAX,
                              check=False).returncode

    def lock(self, showtime, seat, session, server=None):
        return self.seatctl("lock", showtime, seat, "--session", session, server=server)

    def query(self, expression):
        """The values of an instant query; none while Prometheus does not answer."""
        url = f"http://{self.prometheus}/api/v1/query?" + urllib.parse.urlencode(
            {"query": expression})
        with contextlib.suppress(OSError):
            return [float(each["value"][1]) for each in json.loads(fetch(url))["data"]["result"]]
        return []
