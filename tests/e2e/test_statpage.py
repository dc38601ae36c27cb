"""The statistics page of each VM in the run directory: who counts there, what survives whom."""

import os
import signal

import pytest

import proc
import statpage
from family import until
from test_force import Name

pytestmark = pytest.mark.sanitized


@pytest.fixture
def family(new_family):
    """With no other VM."""
    return new_family()


@pytest.fixture
def dev(family, ca):
    return ca.delegation(ca.unique("dev"))


def page_of(family):
    """The only VM's."""
    [path] = family.run_dir.glob("vms/*/page")
    return path


def printed(family, dev, name):
    """Bytes of the lines in its console."""
    lines = [entry["line"] for entry in family.console(f"{dev}/{name}") if "line" in entry]
    return sum(len(line) + 1 for line in lines)


@pytest.mark.parametrize("target", [pytest.param("hvt", marks=pytest.mark.kvm), "spt"])
def test_who_counts(family, ca, dev, target):
    """The monitor of an hvt guest its exits, vmm_console for all what is printed."""
    name = ca.unique("hello")
    family.deploy(ca.vm(name, family.tree.guest("hello", target), issuer=dev))
    page = page_of(family)
    first = until(lambda: (now := statpage.read(page)).console_bytes > 0 and now, "it prints")
    until(lambda: statpage.read(page).console_bytes > first.console_bytes, "and goes on to")
    if target == "hvt":
        until(lambda: statpage.read(page).kvm_exits > first.kvm_exits, "so do exits")
    now = statpage.read(page)
    assert (now.monitor, now.kvm_exits > 0) == ((1, True) if target == "hvt" else (0, False))
    assert (now.console, now.console_start, now.console_lost, now.block_read) == (1, 0, 0, 0)


def test_what_is_printed_is_counted_once(family, ca, dev):
    """Whatever becomes of vmm_console and vmmd while it is."""
    name = ca.unique("hello")
    family.deploy(ca.vm(name, family.tree.guest("hello"), issuer=dev))
    page = page_of(family)
    until(lambda: statpage.read(page).console_bytes > 0, "it prints")
    for victim in ("vmm_console", "vmmd"):
        pid = until(lambda: family.role("vmm_console"), "vmm_console is there")
        before = statpage.read(page)
        os.kill(pid, signal.SIGSTOP)
        if victim == "vmmd":
            family.kill()
            os.kill(pid, signal.SIGKILL)
            family.start()
        else:
            os.kill(pid, signal.SIGKILL)
        until(lambda: statpage.read(page).console_bytes > before.console_bytes, "it goes on")
        assert statpage.read(page).console_start == 0
    [monitor] = family.monitors()
    os.kill(monitor, signal.SIGKILL)
    until(lambda: not family.running(), "it has ended")
    until(lambda: statpage.read(page).console_bytes == printed(family, dev, name), "all of it is counted")


def test_a_new_vm_has_a_new_page(family, dev, tmp_path):
    """Started again, and put in another one's place; the page counts what the new one says."""
    name = Name(family, dev, tmp_path)
    first = name.start("one")
    page = page_of(family)
    until(lambda: statpage.read(page).console_bytes > 0, "it prints")
    with open(page, "rb") as old:
        assert name.force("two").status == 201
        assert not os.path.samestat(os.fstat(old.fileno()), page.stat())
        until(lambda: statpage.read(page).console_bytes > 0, "the new one prints")
        before, after = statpage.read(old.fileno()), statpage.read(page)
        assert after.console_start == before.console_start + before.console_bytes
    assert sorted(path.name for path in page.parent.iterdir()) == ["fifo", "page", "record", "ring", "spawned"]
    second = page.stat()
    assert name.destroy().status == 204
    assert name.start("three") != first
    assert not os.path.samestat(second, page.stat())


def test_a_vm_without_a_page(family, ca, dev):
    """As an earlier vmmd started it: it is adopted, and so are its lines."""
    name = ca.unique("hello")
    family.deploy(ca.vm(name, family.tree.guest("hello"), issuer=dev))
    page_of(family).unlink()
    family.kill_all()
    family.start()
    before = printed(family, dev, name)
    until(lambda: printed(family, dev, name) > before, "its console is read")
    assert list(family.run_dir.glob("vms/*/page")) == []
    assert family.role("vmm_stats") and family.monitors()


def test_what_is_read_of_a_vm_is_open_as_long_as_it_runs(family, ca, dev):
    """/proc's three files of its process and the page, in vmm_stats alone; after either was killed too."""
    def held():
        stats = family.role("vmm_stats")
        paths = proc.descriptors(stats).values() if stats else []
        return sorted(path for path in paths if path.startswith(("/proc/", str(family.run_dir))))

    host = ["/proc/meminfo", "/proc/stat"]
    until(lambda: held() == host, "only the host's")
    name = ca.unique("idle")
    family.deploy(ca.vm(name, family.tree.guest("idle"), issuer=dev))
    [monitor] = family.monitors()
    its = sorted([*host, *(f"/proc/{monitor}/{file}" for file in ("io", "stat", "status")), str(page_of(family))])
    until(lambda: held() == its, "its files are open")
    os.kill(family.role("vmm_stats"), signal.SIGKILL)
    until(lambda: held() == its, "and again")
    family.kill()
    family.start()
    until(lambda: held() == its, "and again")
    family.destroy_all()
    until(lambda: held() == host, "they are closed")


def test_vmmd_itself_holds_none_of_it(family, ca, dev):
    before = len(proc.descriptors(family.pid))
    name = ca.unique("idle")
    family.deploy(ca.vm(name, family.tree.guest("idle"), issuer=dev))
    until(lambda: len(proc.descriptors(family.pid)) == before + 3, "directory, FIFO and process, no more")
