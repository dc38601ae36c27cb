"""vmmd of an ordinary user: says what it goes without, and is confined all the same. As root these tests drop
to nobody for the daemon alone, and look into its processes from outside."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

import proc
from family import ROOT, Ca, Family, Tree, free_port, run, until

ROLES = ("vmm_gate", "vmm_auth", "vmm_console", "vmm_log", "vmm_stats")
USER = 65534 if ROOT else os.geteuid()
IDENTITY = {"user": USER, "group": USER, "extra_groups": []} if ROOT else {}
# In the inner user namespace, which may not make another, the daemon is this.
INSIDE = 1000
WITHOUT_NAMESPACES = ["unshare", "--map-root-user", "sh", "-c", f"""echo 1 >/proc/sys/user/max_user_namespaces &&
    exec unshare --map-user={INSIDE} --map-group={INSIDE} "$@" """, "sh"]


def works(*command):
    """For the user in question."""
    return run(command, **IDENTITY).code == 0


@pytest.fixture(scope="module")
def place(build):
    """A folder, a CA in it and an installed tree that are the user's."""
    folder = Path(tempfile.mkdtemp(prefix="vmm-unprivileged-"))
    folder.chmod(0o755)
    ca = Ca(Tree(build, folder / "installed"), folder / "ca")
    for path in (folder, ca.folder, *ca.folder.iterdir()):
        os.chown(path, USER, -1)
    yield ca
    shutil.rmtree(folder)


@pytest.fixture
def start(place):
    """Starts a family of the user's: start(wrapper)."""
    made = []

    def make(wrapper=()):
        folder = place.folder.parent / place.unique("family")
        made.append(Family(place.tree, place, folder, wrapper=wrapper, user=USER).start())
        return made[-1]

    yield make
    for family in made:
        family.close()


@pytest.fixture(params=["with namespaces", "without namespaces"])
def family(request, start):
    if not works("unshare", "--user", "true"):
        pytest.skip("user namespaces are not allowed here")
    return start(WITHOUT_NAMESPACES if request.param == "without namespaces" else [])


@pytest.fixture
def namespaces(family):
    return not family.wrapper


@pytest.fixture
def monitor(family, place):
    """The monitor of a running VM."""
    family.deploy(place.vm(place.unique("idle"), place.tree.guest("idle", "spt"),
                           issuer=place.delegation(place.unique("dev")), cpu=0))
    return until(family.monitors, "a monitor runs")[0]


def said(family):
    """What vmmd says between its start and being ready, apart from that start's event."""
    lines = [line.partition("vmmd: ")[2] for line in family.log().splitlines()]
    return [line for line in lines[:lines.index("ready")] if line != "vmmd STARTUP"]


def test_says_every_difference(family, namespaces):
    kvm = works("test", "-r", "/dev/kvm", "-a", "-w", "/dev/kvm")
    in_memory = run(["stat", "-f", "-c", "%T", family.run_dir]).out == "tmpfs\n"
    lines = said(family)
    assert lines.pop(0) == f"started by uid {USER if namespaces else INSIDE}, not root:"
    assert lines.pop(0) == "- VMs and roles run under that uid too, not under one each"
    assert namespaces or lines.pop(0) == (
        "- no empty namespaces for them (No space left on device): they stay in this one's network and root "
        "directory, with no system call to reach either")
    assert lines.pop(0) == "- no network devices: taps and bridges are root's"
    assert kvm or lines.pop(0).startswith("- no hvt images: /dev/kvm: ")
    assert in_memory or lines.pop(0) == f"- consoles and records are written to a disk: {family.run_dir} is on one"
    assert lines == [f"volumes are in {family.state_dir}/volumes (dir)"]


def test_everybody_is_confined(family, monitor):
    for pid in [*(family.role(role) for role in ROLES), monitor]:
        status = proc.status(pid)
        assert proc.uids(pid) == [USER] * 4
        assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2"), status["Name"]
        assert {status[key] for key in ("CapEff", "CapPrm", "CapInh", "CapAmb")} == {"0" * 16}
        assert os.stat(f"/proc/{pid}/fd").st_uid == 0, "not dumpable: /proc/PID belongs to root"
    assert set(proc.status(family.pid)["CapEff"]) == {"0"}


@pytest.mark.root("looks into empty roots")
def test_namespaces_where_there_are_some(family, namespaces, monitor):
    for pid in [*(family.role(role) for role in ROLES), monitor]:
        name = proc.name(pid)
        assert (os.listdir(f"/proc/{pid}/root/") == []) == namespaces, name
        for kind in ("user", "net", "mnt", "ipc", "uts"):
            own = proc.namespace(pid, kind) != proc.namespace(family.pid, kind)
            assert own == namespaces, (name, kind)
        if namespaces:
            link = run(["nsenter", f"--net=/proc/{pid}/ns/net", "ip", "-brief", "link"]).out
            assert [line.split()[:2] for line in link.splitlines()] == [["lo", "DOWN"]], name


def test_works_all_the_same(family, place):
    """A console, a refusal, another vmmd that finds what runs."""
    dev = place.delegation(place.unique("dev"), vms=1)
    hello, other = (place.vm(place.unique("hello"), place.tree.guest("hello", "spt"), issuer=dev)
                    for _ in range(2))
    family.deploy(hello)
    path = f"{dev}/{hello.bundle.stem}"
    until(lambda: [entry for entry in family.console(path) if entry.get("line") == "hello"], "it says hello")
    assert family.client(other).err == f"failed {dev} has no room for another VM: it grants 1\n"
    before = family.running()
    family.kill()
    family.start()
    assert family.running() == before
    assert family.client(family.admin, f"destroy {path}").code == 0
    assert family.monitors() == []


def test_volumes_are_files(family, place):
    """Made, filled, read, lent and destroyed."""
    dev = place.delegation(place.unique("dev"), extra=("--block", 4))
    admin = place.command(place.unique("admin"), issuer=dev)
    contents = place.folder / "contents"
    contents.write_bytes(b"kept" * 1000)
    assert family.curl(admin, "/volumes/disk?size=1", "-X", "PUT").status == 201
    assert family.curl(admin, "/volumes/disk/data", "--upload-file", contents).status == 204
    assert family.curl(admin, "/volumes/disk/data").body == "kept" * 1000 + "\0" * ((1 << 20) - 4000)
    name = place.unique("block")
    family.deploy(place.vm(name, place.tree.guest("block", "spt"), issuer=dev, args=["write", "7"],
                           extra=("--block", "disk")))
    until(lambda: "written" in [entry.get("line") for entry in family.console(f"{dev}/{name}")], "it has written")
    until(lambda: family.curl(admin, "/volumes/disk", "-X", "DELETE").status == 204, "it has ended")


def test_its_directories(place):
    """By default below those of its user's session."""
    session = place.folder / "session"
    session.mkdir()
    os.chown(session, USER, -1)
    files = ["--ca", place.path("cacert.pem"), "--cert", place.path("server.pem"),
             "--key", place.path("server.key"), "--listen", f"127.0.0.1:{free_port()}"]
    with subprocess.Popen([place.tree.bin / "vmmd", *files], env={"XDG_RUNTIME_DIR": str(session),
                                                                       "HOME": str(session)},
                          stderr=subprocess.PIPE, encoding="utf-8", **IDENTITY) as vmmd:
        said_first = vmmd.stderr.readline()
        while "vmmd: ready" not in (line := vmmd.stderr.readline()):
            assert line, "it has ended"
        made = sorted(path.name for path in (session / "vmm").iterdir())
        vmmd.terminate()
    assert "started by uid " in said_first and made == ["labels", "log", "roles", "vms"]
    assert list((session / ".local/state/vmm/revocations").iterdir()) == []
