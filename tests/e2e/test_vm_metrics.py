"""Metrics of VMs in a real family: each moves when what it counts happens, and by as much; each session sees what
is its own; nothing goes back when processes are killed. (Those of the family itself: test_metrics.py.)"""

import contextlib
import datetime
import json
import os
import re
from pathlib import Path

import httpx
import pytest

import ground
import metrics
import proc
from door import session
from family import ROOT, end, run, until
from metrics import Scraper
from volume_world import Tenant

FAMILY_OPTIONS = ("--stats-interval", "1")
MB = 1 << 20
SECTOR = 512
MORE_THAN_IS_KEPT = 1 << 17  # of short lines: on the way, and in the ring
MONITORS_OWN = 4096  # what it moves before it becomes the guest (src/stats/spt_block.c)
HZ = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


@pytest.fixture
def scraper(family):
    made = Scraper(family)
    yield made
    made.close()


@pytest.fixture(scope="module")
def dev(ca):
    """A delegation with room for whatever a test starts."""
    return ca.delegation("dev", vms=10)


@pytest.fixture
def start(family, ca, dev, tree, target):
    """start(GUEST, argument...): the path of a VM, running."""
    def make(guest, *args, **more):
        name = ca.unique("vm")
        family.deploy(ca.vm(name, tree.guest(guest, target), issuer=dev, args=args, **more))
        return f"{dev}/{name}"

    return make


def row(family, path):
    [found] = [vm for vm in family.running() if vm["path"] == path]
    return found


def console(family, path):
    return [entry["line"] for entry in family.console(path) if "line" in entry]


def says(family, path, line):
    until(lambda: line in console(family, path), f"{path} says {line}")


# Of a VM

def process(pid):
    """What the kernel says of it now, by metric and label."""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    status = proc.status(pid)
    kb = {key: int(value.split()[0]) * 1024 for key, value in status.items() if value.endswith(" kB")}
    return {
        ("vmm_vm_cpu_seconds_total", "mode", "user"): int(words[11]) / HZ,
        ("vmm_vm_cpu_seconds_total", "mode", "system"): int(words[12]) / HZ,
        ("vmm_vm_page_faults_total", "kind", "minor"): int(words[7]),
        ("vmm_vm_page_faults_total", "kind", "major"): int(words[9]),
        ("vmm_vm_context_switches_total", "kind", "voluntary"): int(status["voluntary_ctxt_switches"]),
        ("vmm_vm_context_switches_total", "kind", "involuntary"): int(status["nonvoluntary_ctxt_switches"]),
    }, {
        "vmm_vm_memory_resident_bytes": kb["VmRSS"],
        "vmm_vm_memory_shared_bytes": kb["RssFile"] + kb["RssShmem"],
        "vmm_vm_memory_peak_bytes": kb["VmHWM"],
    }


def spent(sheet, path):
    """Seconds of CPU."""
    return sum(sheet.get("vmm_vm_cpu_seconds_total", vm=path, mode=mode) for mode in ("user", "system"))


def test_process(family, scraper, start):
    """Between what the kernel says before a reading and after it; and a busy one's grow."""
    busy, idle = start("chatty"), start("idle")
    pids = {path: row(family, path)["pid"] for path in (busy, idle)}
    says(family, idle, "idle")
    for path, pid in pids.items():
        before, _ = process(pid)
        sheet = scraper.fresh(path)
        after, memory = process(pid)
        for (name, label, value), least in before.items():
            seen = sheet.get(name, vm=path, **{label: value})
            assert least <= seen <= after[name, label, value], (path, name, value)
        assert sheet.get("vmm_vm_memory_limit_bytes", vm=path) == 32 * MB
        if path == idle:
            assert {name: sheet.get(name, vm=path) for name in memory} == memory
    first = scraper.fresh(busy)
    scraper.until(lambda sheet: spent(sheet, busy) > spent(first, busy) + 1, "it burns a second of its CPU")
    assert spent(scraper.last, idle) - spent(first, idle) < spent(scraper.last, busy) - spent(first, busy)


@pytest.mark.parametrize("touched", [0, 16])
def test_memory(family, scraper, start, touched):
    """A guest that touches so many MB has them resident, by a fault of its process for each page."""
    path = start("idle", f"--touch={touched}")
    says(family, path, "idle")
    sheet = scraper.fresh(path)
    pages = touched * MB // PAGE
    least, most = touched * MB, (touched + 8) * MB
    assert least <= sheet.get("vmm_vm_memory_resident_bytes", vm=path) < most
    assert least <= sheet.get("vmm_vm_memory_peak_bytes", vm=path) < most
    assert pages <= sheet.get("vmm_vm_page_faults_total", vm=path, kind="minor") < pages + 8 * MB // PAGE


@pytest.fixture
def volumes(family, ca, target):
    if target == "spt" and not ROOT:
        pytest.skip("takes root: what an spt guest reads and writes, the kernel tells nobody else")
    return Tenant(family, ca, "keeper", vms=6)


@pytest.mark.parametrize("sectors", [1, 100])
def test_block(family, scraper, volumes, target, sectors):
    """To the byte what the guest wrote, then what it read; for spt a little of the monitor's own besides."""
    slack = MONITORS_OWN if target == "spt" else 0
    volumes.made("disk")
    for words, moved in ((["write", "7"], (0, sectors * SECTOR)), (["read", "7"], (sectors * SECTOR, 0))):
        name = family.ca.unique("vm")
        chain = family.ca.vm(name, family.tree.guest("block", target), issuer=volumes.name, memory=8,
                             args=(*words, f"--sectors={sectors}", "--stay"), extra=("--block", "disk"))
        family.deploy(chain)
        path = f"{volumes.name}/{name}"
        says(family, path, "written" if words[0] == "write" else "as written")
        sheet = scraper.fresh(path)
        for way, bytes_moved in zip(("read", "written"), moved):
            counted = sheet.get(f"vmm_vm_block_{way}_bytes_total", vm=path)
            assert bytes_moved <= counted <= bytes_moved + slack, (words, way)
        family.destroy_all()


def test_no_block(family, scraper, start):
    """Without a volume there is nothing to say."""
    path = start("idle")
    assert scraper.fresh(path).get("vmm_vm_block_read_bytes_total", vm=path) is None


@pytest.fixture
def ext():
    with ground.bridge("ext", "10.77.0.1/24") as name:
        yield name


@pytest.fixture
def networked(family, ca, ext, target):
    """networked(GUEST, argument...): the path of a VM on a bridge of the host's, and its tap."""
    tenant = ca.delegation(ca.unique("net"), vms=4, extra=("--bridge", f"{ext}/10.77.0.2/10.77.0.5/10.77.0.1/24"))

    def make(guest, *args):
        name = ca.unique("vm")
        family.deploy(ca.vm(name, family.tree.guest(guest, target), issuer=tenant, memory=8, extra=("--net", ext),
                            args=("--ipv4={address}/{netmask}", *args)))
        path = f"{tenant}/{name}"
        return path, row(family, path)["taps"][0]

    return make


NETWORK = ("received_bytes", "received_packets", "sent_bytes", "sent_packets")


def of_tap(sheet, path, tap):
    return {name: sheet.get(f"vmm_vm_network_{name}_total", vm=path, tap=tap["name"], device=tap["device"],
                            bridge=tap["bridge"]) for name in (*NETWORK, "dropped_packets")}


def of_link(name):
    """What the kernel counts; what it receives from a tap the guest sent."""
    counts = json.loads(ground.ip("-json", "-statistics", "link", "show", name))[0]["stats64"]
    return {"received_bytes": counts["tx"]["bytes"], "received_packets": counts["tx"]["packets"],
            "sent_bytes": counts["rx"]["bytes"], "sent_packets": counts["rx"]["packets"]}


@pytest.mark.network("bridges and taps")
def test_network(family, scraper, networked):
    """Echoes there and back are in it whole, and when all is quiet it is what the kernel has."""
    path, tap = networked("net")
    with ground.Echo("10.77.0.2") as echo:
        assert echo.ping()
        before = of_tap(scraper.fresh(path), path, tap)
        echoes, size = 20, 1000
        assert all(echo.ping(size) for _ in range(echoes))
    frame = 14 + 20 + 8 + size
    after = of_tap(scraper.until(
        lambda sheet: of_tap(sheet, path, tap) == of_link(tap["name"]) | {"dropped_packets": 0},
        "it is what the kernel has"), path, tap)
    for way in ("received", "sent"):
        assert after[f"{way}_packets"] - before[f"{way}_packets"] >= echoes
        assert after[f"{way}_bytes"] - before[f"{way}_bytes"] >= echoes * frame


@pytest.mark.network("bridges and taps")
def test_dropped(family, scraper, networked):
    """As many as the guest says it sent and may not, whichever they are; they count as sent besides."""
    path, tap = networked("spoof", "--other=10.77.0.99")
    says(family, path, "done")
    sent = [line for line in console(family, path) if re.match(r"(SPOOF|LEGIT)-\d+", line)]
    wrong = [line for line in sent if line.startswith("SPOOF") and "not sent" not in line]
    assert len(wrong) > 10
    scraper.until(lambda sheet: of_tap(sheet, path, tap)["dropped_packets"] == len(wrong), "all are counted")
    counted = of_tap(scraper.fresh(path), path, tap)
    assert counted["dropped_packets"] == len(wrong)
    assert counted["sent_packets"] >= len(sent)


def test_console(family, scraper, start):
    """To the byte what it printed."""
    path, busy = start("idle"), start("chatty")
    says(family, path, "idle")
    sheet = scraper.fresh(path)
    assert sheet.get("vmm_vm_console_bytes_total", vm=path) == len("idle\n")
    assert sheet.get("vmm_vm_console_lost_lines_total", vm=path) == 0
    printed = sheet.get("vmm_vm_console_bytes_total", vm=busy)
    scraper.until(lambda sheet: sheet.get("vmm_vm_console_bytes_total", vm=busy) > printed + 10000, "it goes on")


def test_lost_lines(family, scraper, start):
    """Somebody follows and does not read for a while: what is missing then is counted when it is told."""
    path, lost, printed = start("chatty"), "vmm_vm_console_lost_lines_total", "vmm_vm_console_bytes_total"
    with contextlib.closing(session(family, family.admin)) as follower:
        stream = follower.request(f"/vms/{path}/console?follow")
        follower.until(lambda: follower.body[stream])
        begun = scraper.fresh(path).get(printed, vm=path)
        scraper.until(lambda sheet: sheet.get(printed, vm=path) > begun + MORE_THAN_IS_KEPT, "much is printed")
        follower.until(lambda: b'"gap"' in follower.body[stream].rpartition(b"\n")[0])
    gap = int(re.search(rb'"gap":(\d+)', follower.body[stream])[1])
    assert 0 < gap <= scraper.fresh(path).get(lost, vm=path)


def test_kvm_exits(family, scraper, start, target):
    """Each line on the console is one at least; an spt guest has none to count."""
    path = start("chatty")
    exits = "vmm_vm_kvm_exits_total"
    if target == "spt":
        assert scraper.fresh(path).get(exits, vm=path) is None
        return
    first = scraper.fresh(path)
    lines = first.get("vmm_vm_console_bytes_total", vm=path) / len("line 100000\n")
    assert first.get(exits, vm=path) >= lines
    scraper.until(lambda sheet: sheet.get(exits, vm=path) > first.get(exits, vm=path) + 100, "it goes on")


def test_what_it_is(family, scraper, start, target):
    path = start("idle")
    sheet, known = scraper.fresh(path), row(family, path)
    assert sheet.get("vmm_vm_info", vm=path, target=target, cpuid=str(known["cpuid"])) == 1
    started = datetime.datetime.fromisoformat(known["started"].replace("Z", "+00:00")).timestamp()
    assert abs(sheet.get("vmm_vm_start_time_seconds", vm=path) - started) < 0.001


def test_one_that_ended_is_gone(family, scraper, start):
    path = start("idle")
    scraper.fresh(path)
    family.destroy_all()
    scraper.until(lambda sheet: path not in sheet.values("vm"), "it has no line any more")


# Of the family

def again(scraper, condition):
    """A sheet of which CONDITION is true, however many answers and connections are lost until then."""
    def ask():
        try:
            answer = scraper.answer()
            return answer.status_code == 200 and condition(scraper.take(answer)) and scraper.last
        except httpx.TransportError:
            scraper.close()
            return None

    return until(ask, "it is well again")


def test_sessions(family, scraper):
    """Those that are open, this one among them."""
    scraper.until(lambda sheet: sheet.get("vmm_sessions") == 1, "no other is open")
    opened = [session(family, family.admin) for _ in range(3)]
    scraper.until(lambda sheet: sheet.get("vmm_sessions") == 4, "three more are open")
    for one in opened:
        one.close()
    scraper.until(lambda sheet: sheet.get("vmm_sessions") == 1, "they are over")


def test_limits(family, scraper):
    """What there is for VMs, as the host's own delegation has it."""
    [host] = family.curl(family.admin, "/").json()["delegations"][:1]
    assert scraper.sheet().get("vmm_memory_limit_bytes") == host["granted"]["memory_mb"] * MB


def test_volumes(family, scraper, ca):
    volumes, used = Tenant(family, ca, "keeper"), "vmm_volumes_used_bytes"
    before = scraper.sheet().get(used)
    volumes.made("disk", 3)
    assert scraper.sheet().get(used) == before + 3 * MB
    assert volumes.destroy("disk").status == 204
    assert scraper.sheet().get(used) == before


def test_the_host_goes_on(scraper):
    """Its CPUs' time is between what the kernel says before and after."""
    def spent():
        user, nice, system, idle, iowait, *_ = map(int, Path("/proc/stat").read_text().split("\n")[0].split()[1:])
        return {"user": (user + nice) / HZ, "system": system / HZ, "idle": (idle + iowait) / HZ}

    before = spent()
    first = scraper.sheet()
    between = spent()
    modes = "vmm_host_cpu_seconds_total"
    assert before["user"] <= first.get(modes, mode="user") <= between["user"]
    for mode in before:
        assert before[mode] <= first.get(modes, mode=mode), mode
    scraper.until(lambda sheet: any(sheet.get(modes, mode=mode) > between[mode] for mode in before), "it goes on")


def test_build(scraper, tree):
    version = run([tree.bin / "vmm_client", "--version"]).out.split()[-1]
    assert scraper.sheet().get("vmm_build_info", version=version) == 1


# Who sees what

def test_scope(family, scraper, ca, tree):
    """A tenant sees its own VMs and those below, by its own names, nothing of the family and the host."""
    for name, issuer in (("alice", "ca"), ("carol", "alice"), ("bob", "ca")):
        ca.delegation(name, issuer=issuer)
    vms = {"alice": "hers", "carol": "deeper", "bob": "his"}
    for issuer, name in vms.items():
        family.deploy(ca.vm(name, tree.guest("idle"), issuer=issuer))
    scrapers = {name: Scraper(family, ca.command(f"{name}-watch", issuer=name, permissions=("statistics",)))
                for name in vms}
    of_vms = {name for name in scraper.sheet().names() if name.startswith("vmm_vm_")} - {"vmm_vm_starts_total"}
    for name, seen in (("alice", {"hers", "carol/deeper"}), ("carol", {"deeper"}), ("bob", {"his"})):
        sheet = scrapers[name].until(lambda sheet, seen=seen: sheet.values("vm") == seen, f"{name} sees {seen}")
        assert sheet.names() <= of_vms | {"vmm_build_info"}, name
        assert not {value for _, labels in sheet.lines for _, value in labels} & (
            set(vms.values()) - {path.rpartition("/")[2] for path in seen})
        scrapers[name].close()
    assert scraper.sheet().values("vm") == {"alice/hers", "alice/carol/deeper", "bob/his"}


@pytest.mark.parametrize("permission", ["info", "console", "log", "block"])
def test_without_the_permission(family, ca, dev, permission):
    other = ca.command(ca.unique("other"), issuer=dev, permissions=(permission,))
    for path in ("/metrics", "/vms/statistics"):
        answer = family.curl(other, path)
        assert answer.status == 403 and "statistics" in answer.detail, answer


def test_a_vms_certificate_may_not(family, ca, dev, tree):
    chain = ca.vm(ca.unique("vm"), tree.guest("idle"), issuer=dev)
    assert [family.curl(chain, path).status for path in ("/metrics", "/vms/statistics")] == [403, 403]


# What lasts

def kill(family, victim):
    if victim == "vmmd":
        family.kill()
        family.start()
    else:
        end([family.role(victim)])


def test_nothing_goes_back(family, scraper, start, volumes, target):
    """A VM's numbers, whoever is killed: the scraper holds each sheet against the one before it."""
    path, slack = start("chatty"), MONITORS_OWN if target == "spt" else 0
    volumes.made("disk")
    name = family.ca.unique("writer")
    family.deploy(family.ca.vm(name, family.tree.guest("block", target), issuer=volumes.name, memory=8,
                               args=("write", "7", "--sectors=50", "--stay"), extra=("--block", "disk")))
    writer = f"{volumes.name}/{name}"
    says(family, writer, "written")
    scraper.fresh(writer)
    before = scraper.fresh(path)
    for victim in ("vmm_stats", "vmm_console", "vmmd", "vmm_stats"):
        kill(family, victim)
        again(scraper, lambda sheet: {path, writer} <= sheet.values("vm"))
        after = scraper.fresh(path)
        assert after.get("vmm_vm_console_bytes_total", vm=path) > before.get("vmm_vm_console_bytes_total", vm=path)
        assert 0 <= scraper.fresh(writer).get("vmm_vm_block_written_bytes_total", vm=writer) - 50 * SECTOR <= slack
        before = after


@pytest.mark.network("bridges and taps")
def test_network_does_not_go_back(family, scraper, networked):
    """Drops are counted by rules, which a new vmmd finds."""
    path, tap = networked("spoof", "--other=10.77.0.99")
    says(family, path, "done")
    scraper.until(lambda sheet: of_tap(sheet, path, tap)["dropped_packets"] > 10, "drops")
    before = of_tap(scraper.fresh(path), path, tap)
    for victim in ("vmm_stats", "vmmd"):
        kill(family, victim)
        again(scraper, lambda sheet: path in sheet.values("vm"))
        now = of_tap(scraper.fresh(path), path, tap)
        assert all(now[name] >= before[name] for name in before), victim
        assert now["dropped_packets"] == before["dropped_packets"], victim


def test_a_new_vmmd_counts_anew(family, scraper):
    """And says since when."""
    before = scraper.sheet()
    family.kill()
    family.start()
    after = again(scraper, lambda sheet: True)
    assert after.get("vmm_start_time_seconds") > before.get("vmm_start_time_seconds")
    assert after.get("vmm_role_restarts_total", role="vmm_gate") == 0


# All of it

@pytest.mark.network("bridges and taps")
@pytest.mark.kvm
def test_every_metric(build, family, scraper, ca, ext, tree):
    """A VM that has everything: each metric of the table is there, of its type and with its labels."""
    ca("delegation", "everything", "--vms", "1", "--memory", "64", "--cpu", "0", "--block", "8",
       "--bridge", f"{ext}/10.77.0.2/10.77.0.5/10.77.0.1/24", "--issuer", "ca")
    admin = ca.command("everything-admin", issuer="everything")
    assert family.curl(admin, "/volumes/disk?size=1", "-X", "PUT").status == 201
    family.deploy(ca.vm("net2block", tree.guest("net2block", "hvt"), issuer="everything", memory=8,
                        extra=("--net", f"service0:{ext}", "--net", f"service1:{ext}", "--block", "disk")))
    sheet = scraper.fresh("everything/net2block")
    wanted = metrics.table(build)
    assert sheet.names() == set(wanted)
    for (name, labels), _ in sheet.lines.items():
        kind, theirs = wanted[name]
        assert {label for label, _ in labels} == theirs, name
        assert sheet.types[re.sub("_(total|info)$", "", name)] == kind
