"""Fixtures of the end-to-end tests. VMM_BUILD names the build directory (default: build). Everything
runs in a network and a mount namespace of this run alone, so that two checkouts do not see each other;
an ordinary user's tests share the host's, on ports that are free."""

import ctypes
import os
import signal
import subprocess
from pathlib import Path

import pytest

pytest.register_assert_rewrite("family", "door", "client_world", "storage_world", "disks", "taps")

import ground
import images
import proc
import taps
from door import Watch
from family import KVM, ROOT, Ca, Family, Tree, until

REPOSITORY = Path(__file__).resolve().parents[2]
CLONE_NEWNS, CLONE_NEWNET = 0x00020000, 0x40000000
MS_REC, MS_PRIVATE = 0x4000, 0x40000
STATE_DIR = "/var/lib/vmm"  # by default: the host's vmmd may have its lists there

# In a chroot / is no mount point, and mounts of our own would show outside.
IN_CHROOT = ROOT and "/" not in proc.mounts(os.getpid())
MOUNTING = {"shared_family", "new_family", "terminal"}  # fixtures that start root's vmmd


def isolate():
    libc = ctypes.CDLL(None, use_errno=True)
    os.makedirs(STATE_DIR, exist_ok=True)  # to be mounted at
    if libc.unshare(CLONE_NEWNS | CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "unshare")
    for arguments in ((b"none", b"/", None, MS_REC | MS_PRIVATE, None),
                      (b"none", b"/run", b"tmpfs", 0, None),
                      (b"none", STATE_DIR.encode(), b"tmpfs", 0, b"mode=755")):
        if libc.mount(*arguments):
            raise OSError(ctypes.get_errno(), "mount")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def pytest_sessionstart(session):
    if ROOT and not IN_CHROOT:
        isolate()


def missing(item):
    """Why ITEM cannot run here; None: it can."""
    network = item.get_closest_marker("network")
    root = network or item.get_closest_marker("root")
    if root and not ROOT:
        return f"takes root: {root.args[0]}"
    if IN_CHROOT and (root or MOUNTING & set(item.fixturenames)):
        return "/ is no mount point, as in a chroot: mounts of our own would show outside"
    if network and ground.lacking():
        return f"takes {ground.lacking()}: {network.args[0]}"
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    if (item.get_closest_marker("kvm") or parameters.get("target") == "hvt") and not KVM:
        return "takes /dev/kvm: an hvt guest"
    return None


def pytest_addoption(parser):
    parser.addoption("--row", help="only what proves this row of doc/security.md: 01, 01a, 02, ...")


def proves(item, row):
    return any(row in marker.args for marker in item.iter_markers("security"))


def pytest_collection_modifyitems(config, items):
    row = config.option.row
    if row:
        config.hook.pytest_deselected(items=[item for item in items if not proves(item, row)])
        items[:] = [item for item in items if proves(item, row)]
    for item in items:
        why = missing(item)
        if why:
            item.add_marker(pytest.mark.skip(reason=why))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failure comes with the end of its families' logs."""
    report = (yield).get_result()
    if report.failed:
        for family in Family.started:
            report.sections.append((f"log of {family.folder.name}", family.log()[-8000:]))
        Family.started = [family for family in Family.started if family.process.poll() is None]


@pytest.fixture(scope="session", autouse=True)
def hangup():
    """Started by nohup: what we start in turn would inherit that SIGHUP is ignored, but no handler."""
    if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda *_: None)


@pytest.fixture(scope="session")
def build():
    return Path(os.environ.get("VMM_BUILD", REPOSITORY / "build")).resolve()


@pytest.fixture(params=["hvt", "spt"])
def target(request):
    """For what must hold for both kinds of guests."""
    return request.param


@pytest.fixture(params=["vmm_monitor", "solo5"])
def tender(request, build, target):
    """What runs a guest by hand: our monitor and, where SOLO5 names a built Solo5 tree, its tender."""
    if request.param == "vmm_monitor":
        return build / "src/monitor/vmm_monitor"
    if not os.environ.get("SOLO5"):
        pytest.skip("SOLO5 does not name a built Solo5 tree")
    return Path(os.environ["SOLO5"]).resolve() / f"tenders/{target}/solo5-{target}"


@pytest.fixture(scope="session")
def monitor(build):
    return build / "src/monitor/vmm_monitor"


@pytest.fixture
def guest(build, target):
    return lambda name: build / "guest" / f"{name}.{target}"


@pytest.fixture
def with_devices(build, target, tmp_path):
    """Guest NAME of guest/conform, whose manifest declares DEVICES."""
    def make(name, *devices):
        path = tmp_path / f"{name}.{target}"
        image = (build / f"guest/conform/{name}.{target}").read_bytes()
        path.write_bytes(images.with_devices(image, *devices))
        return path
    return make


@pytest.fixture
def held(tmp_path):
    """Two taps and a disk, open."""
    disk = os.open(tmp_path / "volume", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
    os.ftruncate(disk, 1 << 20)
    opened = [taps.open_tap("tap0"), taps.open_tap("tap1"), disk]
    for number in (0, 1):
        taps.ip("address", "add", f"10.9.{number}.1/24", "dev", f"tap{number}")
    yield opened
    for descriptor in opened:
        os.close(descriptor)


@pytest.fixture(scope="session")
def tree(build, tmp_path_factory):
    return Tree(build, tmp_path_factory.mktemp("installed"))


@pytest.fixture(scope="module")
def ca(tree, tmp_path_factory):
    return Ca(tree, tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def shared_family(request, tree, ca, tmp_path_factory):
    """With the options that the module wants, FAMILY_OPTIONS."""
    options = getattr(request.module, "FAMILY_OPTIONS", ())
    family = Family(tree, ca, tmp_path_factory.mktemp("family"), options).start()
    yield family
    family.close()


@pytest.fixture
def family(shared_family):
    """The module's family, without a VM before and after the test."""
    yield shared_family
    shared_family.destroy_all()


@pytest.fixture
def watch(family):
    until(lambda: not Watch(family).workers(), "earlier sessions have gone")
    return Watch(family)


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
