"""Nothing is left of a VM, however it ended: the host looks the same before and after a hundred of them, or
after as many rounds as ROUNDS in the environment says."""

import os

import pytest

import ground
import proc
from door import Watch
from family import run, until

ROUNDS = int(os.environ.get("ROUNDS", "30"))  # of four VMs each, and one that is refused
ROUTER = "10.79.0.1"


def memfds(pid):
    return sum(target.startswith("/memfd:") for target in proc.descriptors(pid).values())


def inventory(family):
    """Everything a VM could leave behind, as far as it is this family's."""
    pids = [family.pid, *family.processes()]
    return {
        "processes": sorted(proc.name(pid) for pid in pids),
        "zombies": [pid for pid in proc.children(family.pid) if not proc.alive(pid)],
        "descriptors": {proc.name(pid): len(proc.descriptors(pid)) for pid in pids},
        "memfds": {proc.name(pid): memfds(pid) for pid in pids},
        "uids": sorted(proc.uids(pid)[0] for pid in pids),
        "mounts": {proc.name(pid): sorted(proc.mounts(pid)) for pid in pids},
        "our mounts": sorted(proc.mounts(os.getpid())),
        "namespaces": sorted({proc.namespace(pid, kind) for pid in pids
                              for kind in ("mnt", "net", "pid", "ipc")}),
        "files": sorted(str(path) for top in (family.run_dir, family.state_dir)
                        for path in top.rglob("*")),
        "interfaces": run(["ip", "-brief", "link"]).out,
        "rules": run(["nft", "list", "ruleset"]).out,
    }


def settled(family):
    """When the last worker and monitor are gone: who is left must be roles. A bridge of vmmd's goes when it has
    seen the last session end; the host's is told up to a second late that its last tap has gone."""
    roles = {"vmm_gate", "vmm_auth", "vmm_console", "vmm_log", "vmm_stats"}
    until(lambda: {proc.name(pid) for pid in family.processes()} == roles
          and len(family.processes()) == len(roles), "only the roles are left")
    until(lambda: not ground.exists("lan-i"), "vmmd's own bridge is gone")
    until(lambda: ground.links()["ext"]["operstate"] == "DOWN", "the host's has nobody")
    until(lambda: not Watch(family).workers(), "they have noticed")
    return inventory(family)


@pytest.fixture
def chains(family, ca):
    """One VM for each way to end; one of them has a volume and two taps, on a bridge of the host's and on one of
    vmmd's."""
    with ground.bridge("ext", f"{ROUTER}/24"):
        chains = sign(family, ca, f"ext/10.79.0.2/10.79.0.2/{ROUTER}/24")
        dev = ca.command("dev-admin", issuer="dev")
        assert family.curl(dev, "/volumes/disk?size=1", "-X", "PUT").status == 201
        yield chains


def sign(family, ca, ext):
    dev = ca.delegation("dev", vms=5, extra=("--bridge", ext, "--bridge", "lan-i", "--block", 1))
    guest = family.tree.guest
    return {
        "taps": ca.vm("taps", guest("net2block"), issuer=dev,
                      args=["--ipv4={address:ext}/{netmask:ext}"],
                      extra=("--net", "service0:ext", "--net", "lan-i", "--block", "disk")),
        "idle": ca.vm("idle", guest("idle"), issuer=dev),
        "exits": ca.vm("exits", guest("hello"), issuer=dev, args=["--count=0"]),
        "crashes": ca.vm("crashes", guest("crash"), issuer=dev, args=["divide"]),
        "refused": ca.vm("refused", guest("idle"), issuer=dev, memory=1024),
    }


def one_round(family, chains):
    """Four VMs come and go: destroyed, ended, crashed; a fifth finds no room."""
    for name in ("taps", "idle", "exits", "crashes"):
        family.deploy(chains[name])
    assert family.client(chains["refused"]).code == 1
    with ground.Echo("10.79.0.2") as echo:
        assert echo.ping()
    assert family.client(family.admin, "destroy dev/idle", "destroy dev/taps").code == 0
    until(lambda: not family.running(), "every VM has ended")


@pytest.mark.network("looks at every process, at interfaces and rules")
@pytest.mark.timeout(300 + 10 * ROUNDS)
def test_nothing_is_left(family, chains):
    one_round(family, chains)  # first use makes records and rings that stay, by design
    before = settled(family)
    for _ in range(ROUNDS):
        one_round(family, chains)
    after = settled(family)
    for what, value in before.items():
        assert after[what] == value, what


def test_nothing_is_left_of_the_family(new_family, ca):
    """vmmd without a VM takes everything with it, its mounts too."""
    before = proc.mounts(os.getpid())
    family = new_family()
    family.deploy(ca.vm("passing", family.tree.guest("idle"), issuer=ca.delegation("one")))
    family.destroy_all()
    assert family.stop() == 0
    assert family.left_over() == []
    assert sorted(family.run_dir.rglob("*")) == []
    assert proc.mounts(os.getpid()) == before
