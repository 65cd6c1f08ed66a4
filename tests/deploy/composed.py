"""A compose file brought up as a person would, on a port of its own."""

import os
import pathlib
import signal
import socket
import subprocess
import tempfile

from tests.deploy import containers
from tests.deploy.containers import ROOT, call, eventually, run
from tests.deploy.site_client import Shopper


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Composed:
    def __init__(self, file):
        self.project = f"seatlock-test-{file}"
        self.file = ROOT / f"deploy/compose/{file}.yaml"
        self.address = f"127.0.0.1:{free_port()}"
        self.folder = tempfile.TemporaryDirectory(prefix="seatlock-compose-")
        self.secrets = pathlib.Path(self.folder.name) / "secrets"
        # As docs/deploying.md says: the user of the images reads them through its group.
        subprocess.run([ROOT / "deploy/secrets/make.sh", self.secrets, "--group", "10001"],
                       check=True, capture_output=True)
        pathlib.Path(self.folder.name).chmod(0o755)

    def compose(self, *words):
        engine = containers.engine()
        return run(*engine.compose, "-p", self.project, "-f", self.file, *words,
                   env={**engine.env, "SEATLOCK_PUBLISH": self.address,
                        "SEATLOCK_SECRETS": str(self.secrets)})

    def up(self):
        self.compose("up", "-d")
        self.wait_answering()

    def wait_answering(self):
        eventually(lambda: Shopper(f"http://{self.address}").page("/showtimes/123"),
                   "the site answers")

    def down(self):
        self.compose("down")

    def remove(self):
        """With the volumes. What is left: nothing."""
        self.compose("down", "-v")
        if containers.engine().name == "podman":
            # podman-compose 1.0.3 leaves it.
            call("network", "rm", f"{self.project}_default", check=False)

    def left(self):
        """Containers, volumes and networks of the project."""
        return [line for kind in (("ps", "-a", "--format", "{{.Names}}"),
                                  ("volume", "ls", "--format", "{{.Name}}"),
                                  ("network", "ls", "--format", "{{.Name}}"))
                for line in call(*kind).splitlines() if line.startswith(self.project)]

    def containers(self, service):
        return call("ps", "-a", "--format", "{{.Names}}",
                    "--filter", f"label=com.docker.compose.project={self.project}",
                    "--filter", f"label=com.docker.compose.service={service}").split()

    def kill(self, container):
        """A crash of its program, after which the restart policy holds."""
        before = self._pid(container)
        os.kill(before, signal.SIGKILL)
        eventually(lambda: self._pid(container) not in (0, before), f"{container} is back")

    def _pid(self, container):
        return int(call("inspect", "--format", "{{.State.Pid}}", container))
