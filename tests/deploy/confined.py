"""Becomes the program of an installed unit, as far as that can be had without systemd as PID 1.

Usage: confined.py TREE UNIT [NAME=VALUE...]: the unit's user, environment files, working
directory, descriptors, file system (read-only but for StateDirectory=, private /tmp and /dev,
/proc of its own processes only), no capability, no new privileges, and its filter of system
calls. Not applied, because it takes systemd: PrivateUsers=, ProtectControlGroups= and
ProtectHostname=. NAME=VALUE are further variables; SystemCallFilter+=LINE adds a line to the
unit's, for tests that want to see a filter bite.
"""

import ctypes
import os
import pathlib
import pwd
import resource
import socket
import subprocess
import sys

import seccomp

PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, CLONE_NEWNS = 24, 38, 0x00020000
# One that nobody has, as DynamicUser= picks one.
DYNAMIC_USER = 61_234
DEVICES = {"null": 3, "zero": 5, "full": 7, "random": 8, "urandom": 9}
libc = ctypes.CDLL(None, use_errno=True)


def read_unit(path: pathlib.Path) -> dict[str, list[str]]:
    settings: dict[str, list[str]] = {}
    for line in path.read_text().splitlines():
        if "=" in line and not line.startswith("#"):
            name, value = line.split("=", 1)
            settings.setdefault(name, []).append(value)
    return settings


def read_environment(path: pathlib.Path) -> dict[str, str]:
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def mount(*words) -> None:
    subprocess.run(["mount", *map(str, words)], check=True)


def make_file_system(tree: pathlib.Path, state: list[str]) -> None:
    if libc.unshare(CLONE_NEWNS) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    mount("--make-rprivate", "/")
    mount("--bind", tree, tree)
    for name in state:
        folder = tree / "var/lib" / name
        mount("--bind", folder, folder)
    mount("-t", "proc", "-o", "subset=pid,hidepid=invisible", "proc", tree / "proc")
    for folder in ("tmp", "var/tmp"):
        mount("-t", "tmpfs", "-o", "mode=1777", "tmpfs", tree / folder)
    for folder in ("home", "root"):
        mount("-t", "tmpfs", "-o", "ro,mode=000", "tmpfs", tree / folder)
    mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", tree / "dev")
    for name, minor in DEVICES.items():
        os.mknod(tree / "dev" / name, 0o020666, os.makedev(1, minor))
        os.chmod(tree / "dev" / name, 0o666)
    mount("-o", "remount,bind,ro", tree)


def drop_rights(uid: int, gid: int) -> None:
    for capability in range(64):
        libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "no new privileges")


def main(tree: pathlib.Path, name: str, further: list[str]) -> None:
    unit = read_unit(tree / "lib/systemd/system" / name)
    extra = dict(one.split("=", 1) for one in further if not one.startswith("SystemCallFilter+="))
    filters = unit["SystemCallFilter"] + [
        one.split("=", 1)[1] for one in further if one.startswith("SystemCallFilter+=")
    ]
    calls = seccomp.allowed(filters)
    families = {
        int(socket.AddressFamily[one]) for one in unit["RestrictAddressFamilies"][0].split()
    }
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    for path in unit.get("EnvironmentFile", []):
        environment |= read_environment(tree / path.lstrip("-/"))
    make_file_system(tree, unit.get("StateDirectory", []))
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    files = min(int(unit["LimitNOFILE"][0]), hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    os.umask(int(unit["UMask"][0], 8))
    os.chroot(tree)
    os.chdir(unit.get("WorkingDirectory", ["/"])[0])
    if "User" in unit:
        user = pwd.getpwnam(unit["User"][0])  # of the tree: it is the root by now
        uid, gid = user.pw_uid, user.pw_gid
    else:
        uid = gid = DYNAMIC_USER
    drop_rights(uid, gid)
    seccomp.load(calls, families)
    command = unit["ExecStart"][0].split()
    os.execve(command[0], command, environment | extra)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3:])
