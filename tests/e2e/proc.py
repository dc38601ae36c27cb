"""What /proc says of a process. Part of it is root's alone for a process that cannot be traced, as all of
the family's are: a test that asks for it as somebody else is skipped."""

import contextlib
import ctypes
import os
from pathlib import Path
from typing import NamedTuple

import pytest

TAKES_ROOT = "takes root: looks into processes that let nobody else look"


@contextlib.contextmanager
def looking():
    """Around what the kernel may forbid."""
    try:
        yield
    except PermissionError:
        if os.geteuid() == 0:
            raise
        pytest.skip(TAKES_ROOT)


def pids():
    return [int(entry) for entry in os.listdir("/proc") if entry.isdigit()]


def status(pid):
    """/proc/PID/status as a dictionary; empty when the process is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return {}
    return {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}


def uids(pid):
    """Real, effective, saved and file system uid."""
    return [int(word) for word in status(pid).get("Uid", "").split()]


def alive(pid):
    state = status(pid).get("State", "")
    return bool(state) and not state.startswith(("Z", "X"))


def session(pid):
    """The pid of its session's leader; None when the process is gone."""
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return None


def parent(pid):
    return int(status(pid).get("PPid", 0))


def children(pid):
    return sorted(child for child in pids() if parent(child) == pid)


def name(pid):
    return status(pid).get("Name", "")


def command_line(pid):
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return []
    return [word.decode(errors="replace") for word in words[:-1]]


def link(path):
    with looking():
        try:
            return os.readlink(path)
        except (FileNotFoundError, ProcessLookupError):
            return ""


def exe(pid):
    return link(f"/proc/{pid}/exe")


def namespace(pid, kind):
    return link(f"/proc/{pid}/ns/{kind}")


def descriptors(pid):
    """Number to what it is, as readlink says."""
    folder = f"/proc/{pid}/fd"
    with looking():
        try:
            numbers = os.listdir(folder)
        except (FileNotFoundError, ProcessLookupError):
            return {}
    return {int(number): link(f"{folder}/{number}") for number in sorted(numbers, key=int)}


def mounts(pid):
    """Mount points in the process's own mount namespace."""
    with looking():
        try:
            lines = Path(f"/proc/{pid}/mountinfo").read_text().splitlines()
        except (FileNotFoundError, ProcessLookupError):
            return []
    return [line.split()[4] for line in lines]


class Mapping(NamedTuple):
    start: int
    end: int
    access: str
    name: str


def maps(pid):
    """What is mapped where in the process."""
    found = []
    with looking():
        lines = Path(f"/proc/{pid}/maps").read_text().splitlines()
    for line in lines:
        words = line.split(maxsplit=5)
        start, end = (int(address, 16) for address in words[0].split("-"))
        found.append(Mapping(start, end, words[1], words[5] if len(words) > 5 else ""))
    return found


PTRACE_DETACH, PTRACE_SEIZE, PTRACE_O_TRACEEXIT = 17, 0x4206, 0x40


@contextlib.contextmanager
def endless(pid):
    """A process that is killed and does not end, as one that waits for a disk: we hold it at its last step. It
    must be ours to trace, and this the thread that lets it go."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]
    assert libc.ptrace(PTRACE_SEIZE, pid, None, PTRACE_O_TRACEEXIT) == 0, os.strerror(ctypes.get_errno())
    try:
        yield
    finally:
        libc.ptrace(PTRACE_DETACH, pid, None, None)
