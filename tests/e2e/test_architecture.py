"""What the security argument rests on, read off the running processes: who links what, who runs as whom,
what each can see and hold."""

import os
import re

import pytest

import proc
from family import run, until

ROLES = ("vmm_gate", "vmm_auth", "vmm_console", "vmm_log", "vmm_stats")


@pytest.fixture
def monitor(family, ca, target):
    """The monitor of a running VM."""
    family.deploy(ca.vm(ca.unique("idle"), family.tree.guest("idle", target),
                        issuer=ca.delegation(ca.unique("dev")), memory=48, cpu=1))
    return until(family.monitors, "a monitor runs")[0]


def libraries(path):
    return re.findall(r"(lib\w+)\.so", run(["ldd", path]).out)


def test_vmmd_links_no_tls(tree):
    found = libraries(tree.bin / "vmmd")
    assert "libc" in found
    assert not {"libssl", "libcrypto", "libnghttp2", "libjansson"} & set(found)


def test_roles_link_what_they_are_for(tree):
    assert "libssl" not in libraries(tree.libexec / "vmm_auth")
    for role in ("vmm_console", "vmm_log", "vmm_stats"):
        assert not {"libssl", "libcrypto"} & set(libraries(tree.libexec / role)), role


def test_the_monitor_is_static(tree):
    assert run(["ldd", tree.libexec / "vmm_monitor"]).out.strip() == "statically linked"


@pytest.mark.root("uids of their own")
@pytest.mark.sanitized
def test_only_vmmd_is_root(family, monitor):
    assert proc.uids(family.pid) == [0] * 4
    uids = [proc.uids(family.role(role)) for role in ROLES] + [proc.uids(monitor)]
    for uid in uids:
        assert len(set(uid)) == 1 and uid[0] >= family.uid_base
    assert len({uid[0] for uid in uids}) == len(uids), "every one has a uid of its own"
    for pid in [family.role(role) for role in ROLES] + [monitor]:
        assert proc.status(pid)["Groups"] == ""


# CAP_SYS_PTRACE, to read what /proc says of monitors; its filter lets it do nothing else with that.
KEPT = {"vmm_stats": 1 << 19}


def confined(pid):
    status = proc.status(pid)
    kept = f"{KEPT.get(proc.name(pid), 0):016x}"
    assert [status[key] for key in ("CapEff", "CapPrm", "CapInh", "CapAmb")] == [kept, kept, "0" * 16, "0" * 16]
    return (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")


def interfaces(pid):
    """As the process would see them; an empty namespace has a lo that is down."""
    return run(["nsenter", f"--net=/proc/{pid}/ns/net", "ip", "-brief", "link"]).out


@pytest.mark.root("looks into empty roots")
def test_everybody_else_is_confined(family, monitor):
    for pid in [*(family.role(role) for role in ROLES), monitor]:
        who = proc.name(pid)
        assert confined(pid), who
        assert os.listdir(f"/proc/{pid}/root/") == [], who
        assert proc.namespace(pid, "mnt") != proc.namespace(family.pid, "mnt"), who
        lines = interfaces(pid).splitlines()
        assert [line.split()[:2] for line in lines] == [["lo", "DOWN"]], who


@pytest.mark.root("looks into empty roots")
def test_a_worker_is_confined(family, ca):
    """The process that parses TLS and HTTP, while a session is open."""
    until(lambda: not proc.children(family.role("vmm_gate")), "earlier sessions have gone")
    with family.http(family.admin) as client:
        assert client.get("/").status_code == 200
        workers = proc.children(family.role("vmm_gate"))
        assert len(workers) == 1
        assert confined(workers[0])
        assert os.listdir(f"/proc/{workers[0]}/root/") == []
    until(lambda: not proc.children(family.role("vmm_gate")), "the worker is gone")


# What a guest waits with, or runs on.
HELD = {"hvt": ["anon_inode:kvm-vcpu:0"], "spt": ["anon_inode:[eventpoll]", "anon_inode:[timerfd]"]}


def test_a_monitor_holds_what_it_needs(monitor, target):
    """Of what it was given the image, the status pipe and /dev/kvm are closed again when the guest runs."""
    def rest():
        return sorted(what for number, what in proc.descriptors(monitor).items() if number > 2)

    until(lambda: rest() == HELD[target], "what it said that it is ready on is closed")
    held = proc.descriptors(monitor)
    assert held[0] == "/dev/null"
    assert held[1] == held[2] and held[1].endswith("/fifo")


def test_the_log_holds_what_it_was_given(new_family, tmp_path):
    """Its channel, what libevent makes itself, the file for everything; rings are mapped and their files closed."""
    family = new_family(options=["--log-file", tmp_path / "events"])
    held = proc.descriptors(family.role("vmm_log"))
    assert held[0] == held[1] == "/dev/null"
    assert held[3].startswith("socket:")
    rest = sorted(re.sub(r"\[\d+\]", "", what) for number, what in held.items() if number > 3)
    assert rest == [str(tmp_path / "events"), "anon_inode:[eventpoll]", "pipe:", "pipe:"], held


def test_a_monitor_runs_on_its_cpu(monitor):
    assert proc.status(monitor)["Cpus_allowed_list"] == "1"


def test_nobody_can_be_traced_or_dumped(family, monitor):
    for pid in [*(family.role(role) for role in ROLES), monitor]:
        assert os.stat(f"/proc/{pid}/fd").st_uid == 0, "not dumpable: /proc/PID belongs to root"
        limits = run(["cat", f"/proc/{pid}/limits"]).out
        assert re.search(r"Max core file size\s+0\s+0", limits)


# A root that is no mount point, as of a chroot that debootstrap made.
CHROOT = """mkdir -p "$0" && cd "$0" && for top in /*; do
    if [ -L "$top" ]; then cp -P "$top" .; elif [ -d "$top" ]; then
        mkdir -p ".$top" && mount --rbind "$top" ".$top"; fi; done && exec chroot . "$@" """


@pytest.mark.root("mounts")
def test_in_a_chroot(new_family, ca, tmp_path):
    """Roles and monitors stand in an empty root there too, not in the one outside of the chroot."""
    family = new_family(wrapper=["unshare", "--mount", "sh", "-c", CHROOT, tmp_path / "root"])
    family.deploy(ca.vm(ca.unique("idle"), family.tree.guest("idle"),
                        issuer=ca.delegation(ca.unique("dev"))))
    for pid in [*(family.role(role) for role in ROLES), *family.monitors()]:
        assert os.listdir(f"/proc/{pid}/root/") == [], proc.name(pid)
        joined = run(["nsenter", f"--mount=/proc/{pid}/ns/mnt", "/bin/true"])
        assert joined.code != 0, "there is no /bin/true in that namespace"
