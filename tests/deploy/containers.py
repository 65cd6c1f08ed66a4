"""Containers for the tests: Docker if its daemon runs, else podman with an installation of its own.

A machine without a registry of images has podman: there the base image is made by debootstrap from
the machine's own Debian mirror, and the images of others (nginx, Redis) are made from Debian's
packages under the same names. All of it is kept in build/deploy/containers, so that the next test
builds only what changed. What a build needs of the machine to reach its mirrors (APT's sources, the
certificates, npm's cache, ccache) is mounted while it builds and stays in no image.
"""

import functools
import os
import pathlib
import resource
import shutil
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
STATE = pathlib.Path(os.environ.get("SEATLOCK_CONTAINERS", ROOT / "build/deploy/containers"))
BASE = "docker.io/library/debian:12-slim"
# Longer than anything takes on a busy machine; a test that waits as long has failed.
DEADLINE_S = 120

CONTAINERS_CONF = """\
[containers]
default_ulimits = ["nofile={files}:{files}", "nproc=10000:10000"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
[network]
network_backend = "netavark"
network_config_dir = "{state}/networks"
"""

STORAGE_CONF = """\
[storage]
driver = "overlay"
runroot = "{state}/run"
graphroot = "{state}/graph"
"""

# How Docker's slim images set dpkg and apt: what they leave out of packages, no syncing of files
# that a crash throws away anyway, and no translations.
SLIM_APT = 'Acquire::Languages "none";\n'
SLIM = """\
force-unsafe-io
path-exclude /usr/share/doc/*
path-include /usr/share/doc/*/copyright
path-exclude /usr/share/info/*
path-exclude /usr/share/locale/*
path-exclude /usr/share/man/*
"""

STAND_INS = f"""\
FROM {BASE} AS nginx
ARG APT_CONFIG
RUN apt-get update -q && apt-get install -y -q --no-install-recommends nginx-light && \\
    rm -rf /var/lib/apt/lists/*
CMD ["nginx", "-g", "daemon off;"]

FROM {BASE} AS redis
ARG APT_CONFIG
RUN apt-get update -q && \\
    apt-get install -y -q --no-install-recommends redis-server redis-sentinel && \\
    rm -rf /var/lib/apt/lists/* && install -d -o 999 -g 999 /data
VOLUME /data
"""


def eventually(look, what, deadline_s=DEADLINE_S):
    """What `look` answers once that is true; it may raise until then."""
    end = time.monotonic() + deadline_s
    last = None
    while time.monotonic() < end:
        try:
            last = look()
            if last:
                return last
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            last = error
        time.sleep(0.1)
    raise AssertionError(f"not within {deadline_s} s: {what}; last: {last!r}")


def run(*command, env=None, check=True, **options):
    """The command's output; what it said is in the error if it fails."""
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, cwd=ROOT, check=False,
                          env={**os.environ, **(env or {})}, **options)
    if check and done.returncode != 0:
        raise AssertionError(f"{command} ended with {done.returncode}:\n{done.stdout[-8000:]}")
    return done.stdout


class Docker:
    name = "docker"
    compose = ("docker", "compose")
    env = {}

    def prepare(self):
        run("docker", "pull", "-q", BASE)

    def build_images(self):
        return run("./dev", "images")

    def make_stand_ins(self):
        """The real ones are pulled."""

    def healthy(self, container):
        state = run("docker", "inspect", "--format", "{{.State.Health.Status}}", container)
        return state.strip() == "healthy"


class Podman:
    """One whose state is all in STATE, and that needs no systemd."""

    name = "podman"
    compose = ("podman-compose",)

    def __init__(self):
        self.env = {
            "CONTAINERS_CONF": str(STATE / "containers.conf"),
            "CONTAINERS_STORAGE_CONF": str(STATE / "storage.conf"),
            # Its timers for health checks are systemd's: the tests ask themselves.
            "DISABLE_HC_SYSTEMD": "true",
        }

    def prepare(self):
        (STATE / "networks").mkdir(parents=True, exist_ok=True)
        (STATE / "containers.conf").write_text(CONTAINERS_CONF.format(
            state=STATE, files=resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
        (STATE / "storage.conf").write_text(STORAGE_CONF.format(state=STATE))
        self._write_mirror()
        if not self._exists(BASE):
            self._make_base()

    def build_images(self):
        return run("./dev", "images",
                   env={**self.env, "SEATLOCK_IMAGE_FLAGS": " ".join(self._flags())})

    def make_stand_ins(self):
        folder = STATE / "stand_ins"
        folder.mkdir(exist_ok=True)
        (folder / "Dockerfile").write_text(STAND_INS)
        for target, image in (("nginx", "docker.io/library/nginx:1.28"),
                              ("redis", "docker.io/library/redis:7.2")):
            if not self._exists(image):
                run("podman", "build", *self._flags(), "--target", target, "-t", image, folder,
                    env=self.env)

    def healthy(self, container):
        return subprocess.run(["podman", "healthcheck", "run", container], check=False,
                              env={**os.environ, **self.env}, capture_output=True).returncode == 0

    def _exists(self, image):
        return subprocess.run(["podman", "image", "exists", image], check=False,
                              env={**os.environ, **self.env}).returncode == 0

    def _make_base(self):
        tree = STATE / "base"
        shutil.rmtree(tree, ignore_errors=True)
        # The first is the machine's own mirror.
        mirror = run("apt-get", "indextargets", "--format", "$(CODENAME) $(SITE)",
                     "Created-By: Packages")
        site = next(line.split()[1] for line in mirror.splitlines()
                    if line.startswith("bookworm "))
        run("debootstrap", "--variant=minbase", "bookworm", tree, site)
        (tree / "etc/dpkg/dpkg.cfg.d/docker").write_text(SLIM)
        (tree / "etc/apt/apt.conf.d/docker").write_text(SLIM_APT)
        for path in ("var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/man",
                     "usr/share/locale", "usr/share/info"):
            shutil.rmtree(tree / path)
            (tree / path).mkdir()
        run("sh", "-c", 'tar -C "$1" -c . | podman import -q - "$2"', "sh", tree, BASE,
            env=self.env)
        shutil.rmtree(tree)

    def _write_mirror(self):
        folder = STATE / "mirror"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree("/etc/apt/apt.conf.d", folder / "apt.conf.d")
        (folder / "sources.list.d").mkdir()
        # Debian's own alone: keys of others are not in the base image.
        for name in ("sources.list", "sources.list.d/debian.sources"):
            source = pathlib.Path("/etc/apt") / name
            (folder / name).write_text(source.read_text() if source.exists() else "")
        shutil.copy("/etc/ssl/certs/ca-certificates.crt", folder / "ca.crt")
        (folder / "apt.conf").write_text(
            'Dir::Etc::sourcelist "/media/sources.list";\n'
            'Dir::Etc::sourceparts "/media/sources.list.d";\n'
            'Acquire::https::CAInfo "/media/ca.crt";\n'
            + "".join(f"#include /media/apt.conf.d/{path.name};\n"
                      for path in sorted((folder / "apt.conf.d").iterdir())
                      if "docker" not in path.name and "autoremove" not in path.name))
        registry = run("npm", "config", "get", "registry").strip()
        (folder / "npmrc").write_text(
            f"registry={registry}\ncafile=/media/ca.crt\ncache=/opt\n")

    @functools.cache
    def _flags(self):
        ccache = run("ccache", "-k", "cache_dir").strip()
        npm = run("npm", "config", "get", "cache").strip()
        # Over folders that the base image has, so that no folder is left of them.
        mounts = {STATE / "mirror": "/media:ro", ccache: "/srv", npm: "/opt"}
        for folder in (ccache, npm):
            pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
        return ["--isolation", "chroot", "--pull=never",
                *(word for folder, to in mounts.items() for word in ("-v", f"{folder}:{to}")),
                "--build-arg", "APT_CONFIG=/media/apt.conf",
                "--build-arg", "NPM_CONFIG_USERCONFIG=/media/npmrc",
                "--build-arg", "CCACHE_DIR=/srv"]


@functools.cache
def engine():
    """The engine, prepared."""
    docker = subprocess.run(["docker", "info"], check=False, capture_output=True) \
        if shutil.which("docker") else None
    chosen = Docker() if docker is not None and docker.returncode == 0 else Podman()
    chosen.prepare()
    return chosen


def call(*words, check=True):
    """`docker …` or `podman …`."""
    return run(engine().name, *words, env=engine().env, check=check)
