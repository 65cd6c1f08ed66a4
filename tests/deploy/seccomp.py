"""A unit's system call filter, made and loaded as systemd does, by libseccomp (which apt
depends on).

What is not allowed gives EPERM, as SystemCallErrorNumber= of our units says.
"""

import ctypes
import errno
import subprocess

ALLOW = 0x7FFF0000
MASKED_EQUAL, EQUAL = 7, 4


def error(number: int) -> int:
    return 0x00050000 | number


class Compare(ctypes.Structure):
    _fields_ = [
        ("arg", ctypes.c_uint),
        ("op", ctypes.c_int),
        ("a", ctypes.c_uint64),
        ("b", ctypes.c_uint64),
    ]


class Filter:
    """Allows nothing that is not added. load() is for this process and what it becomes."""

    def __init__(self):
        self._lib = ctypes.CDLL("libseccomp.so.2", use_errno=True)
        self._lib.seccomp_init.restype = ctypes.c_void_p
        self._context = ctypes.c_void_p(self._lib.seccomp_init(error(errno.EPERM)))

    def add(self, action: int, name: str, *compares: Compare) -> None:
        number = self._lib.seccomp_syscall_resolve_name(name.encode())
        if number < 0:
            return  # of another architecture
        array = (Compare * len(compares))(*compares)
        add = self._lib.seccomp_rule_add_array
        if (code := add(self._context, action, number, len(compares), array)) != 0:
            raise RuntimeError(f"{name}: {code}")

    def load(self) -> None:
        if (code := self._lib.seccomp_load(self._context)) != 0:
            raise RuntimeError(f"seccomp_load: {code}")


def sets() -> dict[str, set[str]]:
    """systemd's sets of system calls, such as @system-service, each as names alone."""
    words = ["systemd-analyze", "syscall-filter", "--no-pager"]
    text = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    raw: dict[str, set[str]] = {}
    for line in text.splitlines():
        if line.startswith("@"):
            inside = raw.setdefault(line.strip(), set())
        elif line.startswith("    ") and not line.strip().startswith("#"):
            inside.add(line.strip())

    def names(one: str) -> set[str]:
        return set().union(*(names(each) for each in raw[one])) if one in raw else {one}

    return {one: names(one) for one in raw}


def allowed(lines: list[str]) -> set[str]:
    """What the lines of SystemCallFilter= leave, in their order."""
    known = sets()
    calls = set(known["@default"])
    for line in lines:
        chosen = set().union(*(known.get(word, {word}) for word in line.lstrip("~").split()))
        calls = calls - chosen if line.startswith("~") else calls | chosen
    return calls


NAMESPACES = 0x7E020080  # every CLONE_NEW* flag
WRITE, EXECUTE = 2, 4


def load(calls: set[str], families: set[int]) -> None:
    """Also MemoryDenyWriteExecute=, RestrictNamespaces= and RestrictAddressFamilies=."""
    loaded = Filter()
    special = {"mmap", "mprotect", "pkey_mprotect", "shmat", "socket", "clone", "clone3"}
    for name in sorted(calls - special):
        loaded.add(ALLOW, name)
    both = WRITE | EXECUTE
    for rights in (0, WRITE, EXECUTE):
        loaded.add(ALLOW, "mmap", Compare(2, MASKED_EQUAL, both, rights))
    for name in ("mprotect", "pkey_mprotect"):
        loaded.add(ALLOW, name, Compare(2, MASKED_EQUAL, EXECUTE, 0))
    for family in families:
        loaded.add(ALLOW, "socket", Compare(0, EQUAL, family, 0))
    loaded.add(ALLOW, "clone", Compare(0, MASKED_EQUAL, NAMESPACES, 0))
    # So that libc falls back on clone, whose flags a filter can read.
    loaded.add(error(errno.ENOSYS), "clone3")
    loaded.load()
