"""Proxies of deploy/ in front of real programs: what the tests of proxies start, and their
certificates. Everything runs on loopback and lies in one temporary folder."""

import contextlib
import getpass
import http.server
import json
import os
import pathlib
import re
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("SEATLOCK_BIN", ROOT / "build/release/bin"))
NGINX = "/usr/sbin/nginx"
HAPROXY = "/usr/sbin/haproxy"
# Debian's, which has python3-grpcio.
PYTHON = "/usr/bin/python3"
SECONDS_MAX = 60


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(condition, what, seconds_max=SECONDS_MAX):
    """Waits until `condition()` is true, and returns what it gave."""
    end = time.monotonic() + seconds_max
    while not (value := condition()):
        if time.monotonic() > end:
            raise AssertionError(
                f"not within {seconds_max} s: {what() if callable(what) else what}")
        time.sleep(0.02)
    return value


def fetch(url, context=None):
    """Status and body."""
    try:
        with urllib.request.urlopen(url, timeout=10, context=context) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def is_up(url):
    with contextlib.suppress(OSError):
        return fetch(url)[0] == 200
    return False


def is_ready(admin_port):
    return is_up(f"http://127.0.0.1:{admin_port}/readyz")


class Program:
    """A process that a test started. Its output goes to a file, which is shown if it fails."""

    def __init__(self, folder, name, command, ready, environment=None):
        self.log = pathlib.Path(folder) / f"{name}.log"
        self.name, self.command, self.ready = name, command, ready
        self.environment = {**os.environ, **(environment or {})}
        self.process = None
        self.start()

    def start(self):
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, stdout=log, stderr=log, env=self.environment, cwd=self.log.parent)
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

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.kill()
            raise


# --- certificates ---------------------------------------------------------------------------------


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


def make_authority(folder, name):
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-days", "2", "-subj", f"/CN={name}", "-keyout", f"{folder}/{name}.key",
            "-out", f"{folder}/{name}.pem")


def make_certificate(folder, name, authority, extension):
    (folder / f"{name}.ext").write_text(extension)
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
            f"/CN={name}", "-keyout", f"{folder}/{name}.key", "-out", f"{folder}/{name}.csr")
    openssl("x509", "-req", "-in", f"{folder}/{name}.csr", "-CA", f"{folder}/{authority}.pem",
            "-CAkey", f"{folder}/{authority}.key", "-CAcreateserial", "-days", "2", "-extfile",
            f"{folder}/{name}.ext", "-out", f"{folder}/{name}.pem")


def make_certificates(folder):
    """server-ca, seats (of the proxy), callers-ca, caller; and seats-with-key for HAProxy."""
    folder.mkdir()
    make_authority(folder, "server-ca")
    make_authority(folder, "callers-ca")
    names = "subjectAltName=DNS:seats.example,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n"
    make_certificate(folder, "seats", "server-ca", names)
    make_certificate(folder, "caller", "callers-ca", "extendedKeyUsage=clientAuth\n")
    both = (folder / "seats.pem").read_text() + (folder / "seats.key").read_text()
    (folder / "seats-with-key.pem").write_text(both)


def trust(folder, http1_alone=True):
    context = ssl.create_default_context(cafile=f"{folder}/server-ca.pem")
    if http1_alone:
        context.set_alpn_protocols(["http/1.1"])
    return context


# --- behind the proxy -----------------------------------------------------------------------------


class EchoSite(http.server.ThreadingHTTPServer):
    """Stands in for the site: answers with the headers that it was asked with."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self):
        super().__init__(("127.0.0.1", 0), EchoHandler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def stop(self):
        self.shutdown()
        self.server_close()


class EchoHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # An answer is written in one go, or it waits for the other end to acknowledge.

    def do_GET(self):
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = json.dumps(headers).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Edge(Program):
    def __init__(self, folder, name, upstream, arguments=()):
        self.port, self.admin = free_port(), free_port()
        command = [BIN / "seatlock-edge", f"--listen=127.0.0.1:{self.port}",
                   f"--admin-listen=127.0.0.1:{self.admin}", f"--upstream={upstream}",
                   "--trusted-proxies=127.0.0.1/32", *arguments]
        super().__init__(folder, name, command, lambda: is_ready(self.admin))

    def metric(self, name):
        text = fetch(f"http://127.0.0.1:{self.admin}/metrics")[1]
        return sum(float(value) for value in re.findall(rf"^{name}(?:{{.*}})? (\S+)$", text, re.M))

    def connections(self):
        return self.metric("seatlock_edge_connections")


class Server(Program):
    def __init__(self, folder, name, port=None, admin=None):
        self.port, self.admin = port or free_port(), admin or free_port()
        command = [BIN / "seatlockd", f"--listen=127.0.0.1:{self.port}", "--store=memory:",
                   f"--admin-listen=127.0.0.1:{self.admin}"]
        super().__init__(folder, name, command, lambda: is_ready(self.admin))


class Behind:
    """A seatlockd, two edges and a site, for as many proxies as one likes."""

    def __init__(self, edge_arguments=()):
        self.temporary = tempfile.TemporaryDirectory(prefix="seatlock-proxies-")
        self.folder = pathlib.Path(self.temporary.name)
        self.stack = contextlib.ExitStack()
        self.stack.callback(self.temporary.cleanup)
        with contextlib.ExitStack() as undo:
            undo.callback(self.stop)
            make_certificates(self.folder / "tls")
            self.stubs = make_stubs(self.folder / "stubs")
            self.site = EchoSite()
            self.stack.callback(self.site.stop)
            self.server = self.add(Server(self.folder, "seatlockd"))
            self.second_server_port = free_port()  # where nothing listens yet
            self.second_server_admin = free_port()
            upstream = f"127.0.0.1:{self.server.port}"
            self.edges = [self.add(Edge(self.folder, f"edge{i}", upstream, edge_arguments))
                          for i in (1, 2)]
            undo.pop_all()

    def add(self, program):
        self.stack.callback(stop_if_running, program)
        return program

    def stop(self):
        self.stack.close()


def stop_if_running(program):
    if program.process.poll() is None:
        program.kill()


def make_stubs(folder):
    """protoc's Python code for the messages of seatlock.v1."""
    folder.mkdir()
    files = sorted(path.name for path in (ROOT / "proto/seatlock/v1").iterdir())
    subprocess.run(["protoc", f"-I{ROOT}/proto", f"-I{ROOT}/third_party/googleapis",
                    f"--python_out={folder}", *[f"seatlock/v1/{name}" for name in files]],
                   check=True)
    return folder


# --- the proxies ----------------------------------------------------------------------------------


class Proxy(Program):
    """What both have: three ports, and a folder of their own for what they write."""

    def __init__(self, behind, name, change=lambda text: text):
        self.behind = behind
        self.http, self.https, self.grpc = free_port(), free_port(), free_port()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"{name}-", dir=behind.folder))
        self.folder.chmod(0o755)
        command, environment = self.lay_out(change)
        super().__init__(self.folder, name, command, self.takes_connections, environment)

    def takes_connections(self):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.grpc), 1):
            return True
        return False

    def address(self):
        return ("127.0.0.1", self.https)

    def url(self, path):
        return f"https://127.0.0.1:{self.https}{path}"


def replaced(text, changes):
    """Each key must be there as often as it says; a mistake here would test another file."""
    for (old, count), new in changes.items():
        assert text.count(old) == count, f"{text.count(old)} times instead of {count}: {old}"
        text = text.replace(old, new)
    return text


class Nginx(Proxy):
    """With the replacements that docs/proxies.md lists, and with folders of our own to write in."""

    def lay_out(self, change):
        for name in ("conf.d", "snippets"):
            (self.folder / name).mkdir()
        main = (ROOT / "deploy/nginx/nginx-tls.conf").read_text()
        places = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        temporary = "".join(f"{place}_temp_path {self.folder}/{place}; " for place in places)
        main = replaced(main, {
            ("/run/nginx.pid", 1): f"{self.folder}/nginx.pid",
            ("/var/log/nginx/", 2): f"{self.folder}/",
            ("include /etc/nginx/", 1): f"{temporary} include {self.folder}/",
        })
        (self.folder / "nginx.conf").write_text(main)
        shipped = (ROOT / "deploy/nginx/seatlock-tls.conf").read_text()
        site = change(replaced(shipped, self.addresses()))
        (self.folder / "conf.d/seatlock-tls.conf").write_text(site)
        server = (ROOT / "deploy/nginx/seatlock-tls-server.conf").read_text()
        server = replaced(server, self.certificates())
        (self.folder / "snippets/seatlock-tls-server.conf").write_text(server)
        command = [NGINX, "-p", str(self.folder), "-c", str(self.folder / "nginx.conf"), "-e",
                   str(self.folder / "error.log"), "-g", "daemon off;"]
        return command, {}

    def addresses(self):
        behind, tls = self.behind, self.behind.folder / "tls"
        return {
            ("listen 80;", 1): f"listen 127.0.0.1:{self.http};",
            ("listen 443 ", 1): f"listen 127.0.0.1:{self.https} ",
            ("listen 50443 ", 1): f"listen 127.0.0.1:{self.grpc} ",
            ("127.0.0.1:8080", 2): f"127.0.0.1:{behind.edges[0].port}",
            ("127.0.0.1:8081", 2): f"127.0.0.1:{behind.edges[1].port}",
            ("127.0.0.1:3000", 1): f"127.0.0.1:{behind.site.server_port}",
            ("127.0.0.1:50051", 1): f"127.0.0.1:{behind.server.port}",
            ("127.0.0.1:50052", 1): f"127.0.0.1:{behind.second_server_port}",
            ("/etc/seatlock/tls/callers-ca.pem", 1): f"{tls}/callers-ca.pem",
        }

    def certificates(self):
        tls = self.behind.folder / "tls"
        return {
            ("/etc/seatlock/tls/fullchain.pem", 1): f"{tls}/seats.pem",
            ("/etc/seatlock/tls/privkey.pem", 1): f"{tls}/seats.key",
        }


class HAProxy(Proxy):
    """The shipped file as it is: the environment says where everything is."""

    def lay_out(self, change):
        file = ROOT / "deploy/haproxy/haproxy.cfg"
        text = file.read_text()
        if change(text) != text:
            file = self.folder / "haproxy.cfg"
            file.write_text(change(text))
        # All of them, so that nothing here is where it would be on a server.
        assert set(re.findall(r"presetenv (\w+)", text)) == set(self.addresses())
        return [HAPROXY, "-db", "-f", str(file)], self.addresses()

    def addresses(self):
        behind, tls = self.behind, self.behind.folder / "tls"
        return {
            "SEATLOCK_PROXY_HTTP": f"127.0.0.1:{self.http}",
            "SEATLOCK_PROXY_HTTPS": f"127.0.0.1:{self.https}",
            "SEATLOCK_PROXY_GRPC": f"127.0.0.1:{self.grpc}",
            "SEATLOCK_PROXY_CERTIFICATE": f"{tls}/seats-with-key.pem",
            "SEATLOCK_PROXY_CALLERS_CA": f"{tls}/callers-ca.pem",
            "SEATLOCK_EDGE_1": f"127.0.0.1:{behind.edges[0].port}",
            "SEATLOCK_EDGE_1_ADMIN": f"127.0.0.1:{behind.edges[0].admin}",
            "SEATLOCK_EDGE_2": f"127.0.0.1:{behind.edges[1].port}",
            "SEATLOCK_EDGE_2_ADMIN": f"127.0.0.1:{behind.edges[1].admin}",
            "SEATLOCK_SERVER_1": f"127.0.0.1:{behind.server.port}",
            "SEATLOCK_SERVER_1_ADMIN": f"127.0.0.1:{behind.server.admin}",
            "SEATLOCK_SERVER_2": f"127.0.0.1:{behind.second_server_port}",
            "SEATLOCK_SERVER_2_ADMIN": f"127.0.0.1:{behind.second_server_admin}",
            "SEATLOCK_SITE": f"127.0.0.1:{behind.site.server_port}",
            "SEATLOCK_PROXY_LOG": "stderr",
            "SEATLOCK_PROXY_MAXCONN": "4096",  # what a container has of descriptors
            "SEATLOCK_PROXY_USER": "haproxy" if os.geteuid() == 0 else getpass.getuser(),
        }


# --- callers --------------------------------------------------------------------------------------


class Caller:
    """A gRPC client in a process of its own (grpc_caller.py)."""

    def __init__(self, behind, port, certificate="caller", host="127.0.0.1"):
        tls = behind.folder / "tls"
        ours = [f"{tls}/{certificate}.pem", f"{tls}/{certificate}.key"] if certificate else ["", ""]
        script = pathlib.Path(__file__).with_name("grpc_caller.py")
        with (behind.folder / "callers.log").open("ab") as log:  # gRPC notes each refusal there
            self.process = subprocess.Popen(
                [PYTHON, script, f"{host}:{port}", f"{tls}/server-ca.pem", *ours, behind.stubs],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)

    def _send(self, line):
        self.process.stdin.write(json.dumps(line) + "\n")
        self.process.stdin.flush()

    def call(self, name, body=None, metadata=None):
        self._send({"call": name, "body": body or {}, "metadata": metadata or {}})
        return json.loads(self.process.stdout.readline())

    def lock(self, showtime, seat):
        return self.call("LockSeat", {"showtimeId": showtime, "seatId": seat, "sessionId": "alice"})

    def watch(self, showtime):
        """Lines from now on; `next_line` reads them."""
        self._send({"watch": showtime})

    def next_line(self):
        return json.loads(self.process.stdout.readline())

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
