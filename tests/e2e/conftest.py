"""Fixtures of the end-to-end tests. VMM_BUILD names the build directory (default: build). Everything
runs in a network and a mount namespace of this run alone: two checkouts do not see each other."""

import ctypes
import os
import subprocess
from pathlib import Path

import pytest

pytest.register_assert_rewrite("family")

import proc
from family import Ca, Family, Tree

REPOSITORY = Path(__file__).resolve().parents[2]
CLONE_NEWNS, CLONE_NEWNET = 0x00020000, 0x40000000
MS_REC, MS_PRIVATE = 0x4000, 0x40000


def missing():
    """Why the family cannot run here; empty: it can."""
    if os.geteuid() != 0:
        return "takes root"
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "there is no /dev/kvm"
    if "/" not in proc.mounts(os.getpid()):
        return "/ is no mount point, as in a chroot: mounts of our own would show outside"
    return ""


def isolate():
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS | CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "unshare")
    for arguments in ((b"none", b"/", None, MS_REC | MS_PRIVATE, None),
                      (b"none", b"/run", b"tmpfs", 0, None)):
        if libc.mount(*arguments):
            raise OSError(ctypes.get_errno(), "mount")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def pytest_sessionstart(session):
    if not missing():
        isolate()


def pytest_collection_modifyitems(items):
    why = missing()
    for item in items if why else []:
        if not item.get_closest_marker("anywhere"):
            item.add_marker(pytest.mark.skip(reason=why))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failure comes with the end of its families' logs."""
    report = (yield).get_result()
    if report.failed:
        for family in Family.started:
            report.sections.append((f"log of {family.folder.name}", family.log()[-8000:]))
        Family.started = [family for family in Family.started if family.process.poll() is None]


@pytest.fixture(scope="session")
def build():
    return Path(os.environ.get("VMM_BUILD", REPOSITORY / "build")).resolve()


@pytest.fixture(scope="session")
def tree(build, tmp_path_factory):
    return Tree(build, tmp_path_factory.mktemp("installed"))


@pytest.fixture(scope="module")
def ca(tree, tmp_path_factory):
    return Ca(tree, tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def shared_family(tree, ca, tmp_path_factory):
    family = Family(tree, ca, tmp_path_factory.mktemp("family")).start()
    yield family
    family.close()


@pytest.fixture
def family(shared_family):
    """The module's family, without a VM before and after the test."""
    yield shared_family
    shared_family.destroy_all()


@pytest.fixture
def new_family(tree, ca, tmp_path):
    """Makes a family of the test's own: new_family(options, wrapper)."""
    made = []

    def make(options=(), wrapper=()):
        made.append(Family(tree, ca, tmp_path / f"family{len(made)}", options, wrapper).start())
        return made[-1]

    yield make
    for family in made:
        family.close()
