"""How a VM ended, and who ended it: as the log says it."""

import os
import re
import signal
import threading

import pytest

import proc
from family import until

pytestmark = pytest.mark.sanitized


@pytest.fixture
def dev(ca):
    return ca.delegation(ca.unique("dev"))


def stopped(family, path):
    """What follows the pid in the log's line about the end of the VM at PATH."""
    line = re.compile(rf" {path} STOPPED \d+ ?(.*)")
    return until(lambda: [found.group(1) for found in map(line.search, family.log().splitlines())
                          if found], f"the log has the end of {path}")


def run(family, ca, dev, guest, *args, folder="guest", target="spt"):
    """Starts it; its path and pid. It may have ended already."""
    name = ca.unique("one")
    image = family.tree.build / folder / f"{guest}.{target}"
    answer = family.curl(ca.vm(name, image, issuer=dev, args=args), "/vms", "-X", "POST")
    assert answer.status == 201, answer
    return f"{dev}/{name}", answer.json()["pid"]


# Guest, its arguments, what the log says of its end. (A fault of an hvt guest is an exit status: 1.)
ENDS = {
    "exit": ("guest", "crash", ["exit=7"], "with exit 7"),
    "abort": ("guest", "crash", ["abort"], "with exit 255"),
    "divide": ("guest", "crash", ["divide"], f"with signal {signal.SIGFPE:d} (fault)"),
    "read": ("guest", "crash", ["read"], f"with signal {signal.SIGSEGV:d} (fault)"),
    "syscall": ("guest/conform", "syscall", ["41"], f"with signal {signal.SIGSYS:d} (seccomp)"),
}


@pytest.mark.parametrize("case", ENDS)
def test_by_itself(family, ca, dev, case):
    folder, guest, args, said = ENDS[case]
    path, _ = run(family, ca, dev, guest, *args, folder=folder)
    assert stopped(family, path) == [said]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_by_somebody_outside(family, ca, dev, target, number):
    path, pid = run(family, ca, dev, "idle", target=target)
    os.kill(pid, number)
    assert stopped(family, path) == [f"with signal {number:d} (sent from outside)"]


def test_by_a_session(family, ca, dev):
    path, _ = run(family, ca, dev, "idle")
    admin = ca.unique("admin")
    name = path.rpartition("/")[2]
    assert family.client(ca.command(admin, issuer=dev), f"destroy {name}").code == 0
    assert stopped(family, path) == [f"with signal {signal.SIGTERM:d} (destroyed by {dev}/{admin})"]


def test_by_a_session_of_a_vmmd_before(new_family, ca, dev):
    """Who destroyed it is in its record. How it ended takes a kernel that tells of others' children."""
    family = new_family()
    path, pid = run(family, ca, dev, "idle")
    os.kill(pid, signal.SIGSTOP)
    destroying = threading.Thread(
        target=lambda: family.curl(family.admin, f"/vms/{path}", "-X", "DELETE"))
    destroying.start()
    until(lambda: pending(pid) or not proc.alive(pid), "it is told to end")
    family.kill()
    destroying.join()
    family.start()
    [said] = stopped(family, path)
    assert said.endswith(f"(destroyed by {family.admin.key.stem})")


def pending(pid):
    return int(proc.status(pid).get("ShdPnd", "0"), 16) & 1 << signal.SIGTERM - 1
