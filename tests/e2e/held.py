"""Processes caught at their work, and what keeps them at it long enough."""

import contextlib
import os
import signal
import time

import images
from family import PATIENCE


def hold(pids, known=()):
    """Stops the first process of PIDS() that is not in KNOWN, as soon as it is there."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        for pid in set(pids()).difference(known):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
                return pid
    raise AssertionError("never happened: a process to be held")


def children(pid):
    """Quicker than proc.children, which looks at everybody."""
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return [int(word) for word in file.read().split()]


def large_vm(family, folder, issuer):
    """It takes the judge a while; its process can be caught at that."""
    image = images.padded(family.tree.guest("idle").read_bytes(), 15_000_000)
    name = family.ca.unique("large")
    file = folder / name
    file.write_bytes(image)
    family.ca.vm(name, file, issuer=issuer)
    return name
