"""The images are built and run as they would be in production: with a read-only root, without any
capability, and used through the doors that their users have.

With nothing there but a warm ccache and npm cache, on two cores with a load of 10: 430 s, of which
the base takes 80 s, the builds 290 s, and the tests themselves 55 s. With the base and the
packages there, but sources that changed: 340 s, with a load of 15."""

import json
import os
import pathlib
import re
import subprocess
import unittest

from tests.deploy import containers
from tests.deploy.containers import call, eventually
from tests.deploy.site_client import Frames, Shopper

NETWORK = "seatlock-images-test"
IMAGES = ("seatlockd", "edge", "site")
HARDENED = ("--read-only", "--cap-drop=all", "--security-opt=no-new-privileges")
SEATLOCKD_MB_OVER_BASE_MAX = 50
SEATCTL = pathlib.Path(os.environ["SEATLOCK_BIN"]) / "seatctl"


def image(name):
    return f"localhost/seatlock/{name}"


class Running:
    """One container of an image, hardened."""

    def __init__(self, name, *flags, port):
        self.name = f"seatlock-images-test-{name}"
        call("rm", "-f", "-v", self.name, check=False)
        call("run", "-d", "--name", self.name, "--network", NETWORK, "--network-alias", name,
             "-p", f"127.0.0.1::{port}", *HARDENED, *flags, image(name))
        self.address = call("port", self.name, f"{port}/tcp").split()[0]

    def wait_healthy(self):
        eventually(lambda: containers.engine().healthy(self.name),
                   f"{self.name} is healthy; it says:\n{call('logs', self.name)}")

    def inside(self, *command):
        return call("exec", self.name, *command)

    def stop(self):
        """Its exit code after a stop."""
        call("stop", "-t", "60", self.name)
        return int(call("inspect", "--format", "{{.State.ExitCode}}", self.name))

    def remove(self):
        call("rm", "-f", "-v", self.name, check=False)


class ImagesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.output = containers.engine().build_images()
        call("network", "rm", NETWORK, check=False)
        call("network", "create", NETWORK)
        cls.running = {}
        cls.addClassCleanup(cls.remove)
        cls.start("seatlockd", "-e", "SEATLOCK_ALLOW_PLAINTEXT=true", port=50051)
        cls.start("edge", "-e", "SEATLOCK_EDGE_UPSTREAM=seatlockd:50051",
                  "-e", "SEATLOCK_EDGE_ALLOW_PLAINTEXT=true",
                  "-e", "WEBSOCKET_SERVER_PORT=9000", port=9000)
        cls.start("site", "-e", "SEATLOCK_SITE_UPSTREAM=seatlockd:50051",
                  "-e", "WEBSOCKET_SERVER_URL=wss://seats.example/ws/seat-updates", port=3000)

    @classmethod
    def start(cls, name, *flags, port):
        cls.running[name] = Running(name, *flags, port=port)
        cls.running[name].wait_healthy()

    @classmethod
    def remove(cls):
        for running in cls.running.values():
            running.remove()
        call("network", "rm", NETWORK)

    def seatctl(self, *words):
        return subprocess.run(
            [SEATCTL, "--server", self.running["seatlockd"].address, *words], check=False,
            capture_output=True, text=True).returncode

    def test_seat_locked_over_grpc_is_a_frame_at_the_edge(self):
        with Frames(self.running["edge"].address, "images") as frames:
            frames.wait_for('"subscribed"')
            self.assertEqual(self.seatctl("lock", "images", "A06", "--session", "alice"), 0)
            frames.wait_for("seat_status_change", "A06", '"locked"')
        self.assertEqual(self.seatctl("lock", "images", "A06", "--session", "bob"), 4)

    def test_site_locks_a_seat_for_one_shopper_alone(self):
        site = f"http://{self.running['site'].address}"
        alice, bob = Shopper(site), Shopper(site)
        # origin.md's variable: where pages find the edge.
        self.assertIn("wss://seats.example/ws/seat-updates", alice.page("/showtimes/123"))
        bob.page("/showtimes/123")
        status, held = alice.lock("123", "B07")
        self.assertEqual((status, [seat["seatId"] for seat in held["seats"]]), (200, ["B07"]))
        status, refusal = bob.lock("123", "B07")
        self.assertEqual((status, refusal["code"]), (409, "SEAT_TAKEN"))

    def test_seatctl_is_in_the_image_of_seatlockd(self):
        self.assertIn("at revision 0", self.running["seatlockd"].inside("seatctl", "get", "none"))
        status = self.running["seatlockd"].inside(
            "seatctl", "status", "--admin=127.0.0.1:9101,edge:9102")
        self.assertRegex(status, r"seatlockd +ready[^$]*seatlock-edge +ready")

    def test_nobody_is_root_and_nothing_makes_anybody_root(self):
        for name, running in self.running.items():
            with self.subTest(name):
                self.assertEqual(running.inside("id", "-u").strip(), "10001")
                self.assertEqual(self.found(name, "-perm", "/6000"), [])
                self.assertRegex(running.inside("cat", "/proc/1/status"), r"CapBnd:\t0+\n")

    def test_nothing_of_the_build_is_in_an_image(self):
        names = ("gcc", "gcc-12", "g++", "cc1*", "cmake", "npm", "git", "curl", "*.h", "ccache",
                 "npmrc", ".npmrc")
        pattern = [word for name in names for word in ("-o", "-name", name)][1:]
        for name in IMAGES:
            with self.subTest(name):
                self.assertEqual(self.found(name, "(", *pattern, ")"), [])
                config = call("inspect", "--format", "{{json .Config}}", image(name))
                for folder in ("/media", "/mnt", "/opt", "/srv"):
                    self.assertNotIn(f'{folder}/', config)
                    self.assertEqual(self.found(name, "-path", f"{folder}/*", kind="d"), [])

    def found(self, name, *tests, kind="f"):
        """Files of the image, or folders; as root, so that none is hidden."""
        output = call("run", "--rm", "--network=none", "--user=0", "--entrypoint=find", image(name),
                      "/", "-xdev", "-type", kind, *tests)
        return output.split()

    def test_nothing_is_missing_and_every_package_asked_for_is_linked(self):
        """What comes besides is what Debian's packages depend on."""
        base = self.packages(containers.BASE)
        programs_of = {"seatlockd": ("seatlockd", "seatctl"), "edge": ("seatlock-edge",)}
        for name, programs in programs_of.items():
            with self.subTest(name):
                linked = "".join(
                    call("run", "--rm", "--network=none", "--entrypoint=ldd", image(name),
                         f"/usr/bin/{program}") for program in programs)
                self.assertNotIn("not found", linked)
                for package in self.packages(image(name)) - base:
                    libraries = re.findall(r"/(lib[^/\n]*\.so\.[^/\n]*)\n", call(
                        "run", "--rm", "--network=none", "--entrypoint=dpkg", image(name), "-L",
                        package))
                    self.assertTrue(any(library in linked for library in libraries),
                                    f"{package} is in the image and nothing links it")

    def packages(self, of):
        """Those that somebody asked for."""
        return set(call("run", "--rm", "--network=none", "--entrypoint=apt-mark", of,
                        "showmanual").split())

    def test_labels_say_what_it_is(self):
        for name in IMAGES:
            with self.subTest(name):
                labels = json.loads(call("inspect", "--format", "{{json .Config.Labels}}",
                                         image(name)))
                said = {key.removeprefix("org.opencontainers.image."): value
                        for key, value in labels.items()}
                self.assertEqual(said["licenses"], "Apache-2.0")
                self.assertRegex(said["version"], r"^\d+\.\d+\.\d+$")
                self.assertRegex(said["revision"], r"^[0-9a-f]{12}$")
                self.assertTrue(said["title"] and said["description"])

    def test_program_says_the_revision_of_its_label(self):
        label = call("inspect", "--format",
                     '{{index .Config.Labels "org.opencontainers.image.revision"}}',
                     image("seatlockd")).strip()
        self.assertIn(label, self.running["seatlockd"].inside("seatlockd", "--version"))

    def test_seatlockd_is_small(self):
        over = int(re.search(r"seatlock/seatlockd +\d+ MB, +(\d+) MB over its base",
                             self.output)[1])
        self.assertLessEqual(over, SEATLOCKD_MB_OVER_BASE_MAX)

    def test_unready_container_is_not_healthy(self):
        """The control of every wait for health here."""
        name = f"{NETWORK}-unready"
        call("run", "-d", "--name", name, "--network=none", *HARDENED, "-e",
             "SEATLOCK_ALLOW_PLAINTEXT=true", "-e", "SEATLOCK_STORE=redis://127.0.0.1:1?replicas=0",
             image("seatlockd"))
        self.addCleanup(call, "rm", "-f", "-v", name)
        eventually(lambda: "listening" in call("logs", name), "it listens")
        output = call("exec", name, "seatlockd", "health", check=False)
        self.assertIn("503", output)
        self.assertFalse(containers.engine().healthy(name))

    def test_zz_stop_drains_and_exits_0(self):
        """Last, by its name: the others are over."""
        for name in ("site", "edge", "seatlockd"):
            with self.subTest(name):
                self.assertEqual(self.running[name].stop(), 0)
        for name in ("edge", "seatlockd"):
            self.assertIn("draining", call("logs", self.running[name].name))


if __name__ == "__main__":
    unittest.main()
