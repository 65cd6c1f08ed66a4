"""Proxies of deploy/ in front of real programs: what the tests of proxies start, and their
certificates. Everything runs on loopback and lies in one temporary folder."""

import contextlib
import getpass
import json
import os
import pathlib
import re
import socket
import socketserver
import ssl
import subprocess
import tempfile
import threading

from tests.deploy.programs import ROOT, Edge, Program, Seatlockd, free_port

NGINX = "/usr/sbin/nginx"
HAPROXY = "/usr/sbin/haproxy"
# Debian's, which has python3-grpcio.
PYTHON = "/usr/bin/python3"


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


class EchoSite(socketserver.ThreadingTCPServer):
    """Stands in for the site: answers with the headers that it was asked with. It reads no body."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self):
        super().__init__(("127.0.0.1", 0), EchoHandler)
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def stop(self):
        self.shutdown()
        self.server_close()


class EchoHandler(socketserver.StreamRequestHandler):
    """By hand, because a flood of requests must get through it on a busy machine: http.server takes
    several times as long."""

    def handle(self):
        with contextlib.suppress(ConnectionError):
            while self.rfile.readline():  # the line of the request
                headers = {}
                while line := self.rfile.readline().decode().rstrip("\r\n"):
                    name, value = line.split(": ", 1)
                    headers[name.lower()] = value
                body = json.dumps(headers)
                self.wfile.write(
                    f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())


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
            self.server = self.add(Seatlockd(self.folder))
            # Where nothing listens yet.
            self.second_server = {"port": free_port(), "admin_port": free_port()}
            self.edges = [self.add(Edge(self.folder, f"edge{i}", self.server.address,
                                        "--trusted-proxies=127.0.0.1/32", *edge_arguments))
                          for i in (1, 2)]
            undo.pop_all()

    def add(self, program):
        self.stack.callback(stop_if_running, program)
        return program

    def start_second_server(self):
        self.add(Seatlockd(self.folder, "second", **self.second_server))

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
            ("127.0.0.1:8080", 2): behind.edges[0].address,
            ("127.0.0.1:8081", 2): behind.edges[1].address,
            ("127.0.0.1:3000", 1): f"127.0.0.1:{behind.site.port}",
            ("127.0.0.1:50051", 1): behind.server.address,
            ("127.0.0.1:50052", 1): f"127.0.0.1:{behind.second_server['port']}",
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
            "SEATLOCK_EDGE_1": behind.edges[0].address,
            "SEATLOCK_EDGE_1_ADMIN": behind.edges[0].admin,
            "SEATLOCK_EDGE_2": behind.edges[1].address,
            "SEATLOCK_EDGE_2_ADMIN": behind.edges[1].admin,
            "SEATLOCK_SERVER_1": behind.server.address,
            "SEATLOCK_SERVER_1_ADMIN": behind.server.admin,
            "SEATLOCK_SERVER_2": f"127.0.0.1:{behind.second_server['port']}",
            "SEATLOCK_SERVER_2_ADMIN": f"127.0.0.1:{behind.second_server['admin_port']}",
            "SEATLOCK_SITE": f"127.0.0.1:{behind.site.port}",
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
