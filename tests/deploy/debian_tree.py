"""A fresh Debian of its own, in a folder: what a machine looks like before anybody installs us.

Made by debootstrap from the machine's own archive, with the machine's settings of apt copied in
(and nowhere else). Programs run in it by chroot, in a network namespace that has nothing but
loopback, so that they may take their default ports. Needs root.
"""

import hashlib
import os
import pathlib
import shutil
import socket
import stat
import subprocess
import tempfile

SUITE = "bookworm"
# Written by apt and dpkg whatever is installed, and nothing of a package's.
WRITTEN_BY_APT = (
    "etc/ld.so.cache",
    "var/cache/",
    "var/lib/apt/",
    "var/lib/dpkg/",
    "var/log/",
    "tmp/",
    "root/",
    "proc/",
    "dev/",
    "run/",
)


def archive() -> str:
    """The address that this machine's apt takes its packages from."""
    words = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()[0]


class DebianTree:
    """Use as a context: the folder is gone afterwards. `include`: beside the smallest set."""

    def __init__(self, include: tuple[str, ...] = ()):
        self._include = include

    def __enter__(self) -> "DebianTree":
        self._folder = tempfile.TemporaryDirectory(prefix="seatlock-tree-")
        self.path = pathlib.Path(self._folder.name) / "tree"
        self._namespace = None
        try:
            self._make()
        except BaseException:
            self._folder.cleanup()
            raise
        return self

    def __exit__(self, *_) -> None:
        if self._namespace:
            self._namespace.kill()
            self._namespace.wait()
            self._namespace.stdout.close()
        self._folder.cleanup()

    def _make(self) -> None:
        words = ["debootstrap", "--variant=minbase", SUITE, self.path, archive()]
        if self._include:
            words.insert(1, f"--include={','.join(self._include)}")
        done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"debootstrap: {done.stdout[-2000:]}")
        # What a crash of the machine would leave is thrown away anyway.
        self.path.joinpath("etc/dpkg/dpkg.cfg.d/unsafe").write_text("force-unsafe-io\n")
        self.path.joinpath("etc/apt/sources.list").unlink()
        shutil.copytree("/etc/apt", self.path / "etc/apt", dirs_exist_ok=True)
        for name in ("resolv.conf", "hosts"):
            shutil.copy(f"/etc/{name}", self.path / "etc" / name)
        self.run("apt-get", "update", "-q")

    def run(self, *words: str) -> str:
        """Runs a command in the tree as root, with the machine's network: apt and dpkg."""
        env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive"}
        done = subprocess.run(
            ["chroot", self.path, *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=env | {"LC_ALL": "C"},
        )
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(words)}: {done.stdout[-4000:]}")
        return done.stdout

    def files(self) -> dict[str, tuple]:
        """Every file but those of WRITTEN_BY_APT: kind, permissions, owner, and a hash of its
        content."""
        found = {}
        for folder, folders, names in os.walk(self.path):
            for name in folders + names:
                full = pathlib.Path(folder) / name
                key = str(full.relative_to(self.path))
                if not key.startswith(WRITTEN_BY_APT):
                    found[key] = self._seen(full)
        return found

    @staticmethod
    def _seen(path: pathlib.Path) -> tuple:
        seen = path.lstat()
        content = b""
        if stat.S_ISLNK(seen.st_mode):
            content = os.readlink(path).encode()
        elif stat.S_ISREG(seen.st_mode):
            content = hashlib.sha256(path.read_bytes()).digest()
        return seen.st_mode, seen.st_uid, seen.st_gid, content

    def in_namespace(self, *words) -> list:
        """The command that runs `words` on this machine, but with a network of the tree's own."""
        if not self._namespace:
            self._namespace = subprocess.Popen(
                [
                    "unshare",
                    "--net",
                    "sh",
                    "-c",
                    "ip link set lo up && echo up && exec sleep 3600",
                ],
                stdout=subprocess.PIPE,
                text=True,
            )
            if self._namespace.stdout.readline() != "up\n":
                raise RuntimeError("no network namespace")
        return ["nsenter", f"--net=/proc/{self._namespace.pid}/ns/net", *words]

    def as_user(self, user: str, *words: str) -> subprocess.CompletedProcess:
        """Runs a command in the tree as `user`, in the tree's network."""
        command = self.in_namespace("chroot", f"--userspec={user}", str(self.path), *words)
        return subprocess.run(
            command, capture_output=True, text=True, env={"PATH": "/usr/bin:/usr/sbin:/bin"}
        )


def notify_socket(path: pathlib.Path) -> socket.socket:
    """The service manager's end of sd_notify, bound at `path`."""
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(str(path))
    os.chmod(path, 0o777)
    manager.settimeout(0.2)
    return manager
