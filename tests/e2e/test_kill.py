"""Any process of the family dies at any moment: VMs run on, no console line is lost, service is back."""

import os
import signal

import pytest

import proc
from door import served
from family import until

LINES = 900  # fewer than a console ring holds
ROUNDS = 3


def kill_role(family, name):
    pid = until(lambda: family.role(name), f"{name} runs")
    os.kill(pid, signal.SIGKILL)
    until(lambda: family.role(name) not in (None, pid), f"{name} runs again")


def kill_vmmd(family):
    family.kill()
    family.start()


KILLS = {
    "vmmd": kill_vmmd,
    "vmm_gate": lambda family: kill_role(family, "vmm_gate"),
    "vmm_auth": lambda family: kill_role(family, "vmm_auth"),
    "vmm_console": lambda family: kill_role(family, "vmm_console"),
    "vmm_log": lambda family: kill_role(family, "vmm_log"),
    "vmm_stats": lambda family: kill_role(family, "vmm_stats"),
}


def console(family, path):
    return [entry["line"] for entry in family.console(path) if "line" in entry]


def vm(family, path):
    return family.curl(family.admin, f"/vms/{path}").json()[0]


def ended(family, path):
    """Ended, and its last words read: they are its FIFO's until vmm_console has them."""
    return (vm(family, path)["state"] == "ended"
            and console(family, path)[-1:] == [f"line {LINES}"])


@pytest.mark.sanitized
@pytest.mark.parametrize("victim", KILLS)
def test_killed_under_a_printing_vm(new_family, ca, victim):
    family = new_family()
    dev = ca.delegation(ca.unique("dev"), vms=2 + ROUNDS)
    guest = family.tree.guest
    hello = ca.unique("hello")
    family.deploy(ca.vm(hello, guest("hello"), issuer=dev))
    before = vm(family, f"{dev}/{hello}")
    for _ in range(ROUNDS):
        name = ca.unique("chatty")
        family.deploy(ca.vm(name, guest("chatty"), issuer=dev, args=[f"--count={LINES}"]))
        KILLS[victim](family)
        until(lambda: served(family, family.admin), f"service is back after {victim} died")
        until(lambda: ended(family, f"{dev}/{name}"), "chatty has said everything")
        assert console(family, f"{dev}/{name}") == [f"line {n + 1}" for n in range(LINES)]
    after = vm(family, f"{dev}/{hello}")
    assert after == before, "hello runs on and nothing about it has changed"
    seen = len(console(family, f"{dev}/{hello}"))
    until(lambda: len(console(family, f"{dev}/{hello}")) > seen, "hello still prints")


@pytest.mark.sanitized
def test_what_is_said_while_there_is_no_vmmd(new_family, ca):
    """A VM prints and ends, and only then is there another vmmd."""
    family = new_family()
    dev, name = ca.delegation(ca.unique("dev")), ca.unique("chatty")
    family.deploy(ca.vm(name, family.tree.guest("chatty"), issuer=dev, args=[f"--count={LINES}"]))
    family.kill()
    until(lambda: family.monitors() == [], "it has printed all and ended")
    until(lambda: family.processes() == [], "nobody is left to read anything")
    family.start()
    assert console(family, f"{dev}/{name}") == [f"line {n + 1}" for n in range(LINES)]


def test_an_adopted_vm_is_counted_and_can_be_destroyed(new_family, ca, target):
    family = new_family()
    dev = ca.delegation(ca.unique("dev"), vms=1)
    name = ca.unique("first")
    first = ca.vm(name, family.tree.guest("idle", target), issuer=dev)
    second = ca.vm(ca.unique("second"), family.tree.guest("idle", target), issuer=dev)
    family.deploy(first)
    monitors = family.monitors()
    kill_vmmd(family)
    assert family.monitors() == monitors
    refused = family.client(second)
    assert refused.err == f"failed {dev} has no room for another VM: it grants 1\n"
    assert family.client(family.admin, f"destroy {dev}/{name}").code == 0
    assert family.monitors() == []
    family.deploy(second)


def test_an_adopted_vm_without_its_console(new_family, ca):
    """It is a VM all the same: seen, destroyed, seen to end."""
    family = new_family()
    dev = ca.delegation(ca.unique("dev"), vms=2)
    for name in ("one", "two"):
        family.deploy(ca.vm(name, family.tree.guest("idle"), issuer=dev))
    family.kill()
    for fifo in family.run_dir.glob("vms/*/fifo"):
        fifo.unlink()
    family.start()
    assert family.log().count("its console is lost") == 2
    assert family.client(family.admin, f"destroy {dev}/one").code == 0
    [monitor] = family.monitors()
    assert vm(family, f"{dev}/two")["pid"] == monitor
    os.kill(monitor, signal.SIGKILL)
    until(lambda: vm(family, f"{dev}/two")["state"] == "ended", "vmmd has noticed")


def test_what_ended_while_vmmd_was_away(new_family, ca):
    """Its resources are free again; how it ended, nobody can know."""
    family = new_family()
    dev = ca.delegation(ca.unique("dev"), vms=1)
    family.deploy(ca.vm("gone", family.tree.guest("idle"), issuer=dev))
    [monitor] = family.monitors()
    family.kill()
    os.kill(monitor, signal.SIGKILL)
    until(lambda: not proc.alive(monitor), "the VM has ended")
    family.start()
    until(lambda: vm(family, f"{dev}/gone")["state"] == "ended", "vmmd has noticed")
    family.deploy(ca.vm("next", family.tree.guest("idle"), issuer=dev))


def test_vms_outlive_an_orderly_restart(new_family, ca, target):
    family = new_family()
    family.deploy(ca.vm(ca.unique("idle"), family.tree.guest("idle", target),
                        issuer=ca.delegation(ca.unique("dev"))))
    before, monitors = family.vms(), family.monitors()
    assert family.stop() == 0
    until(lambda: family.processes() == monitors, "only the VM is left")
    family.start()
    assert family.vms() == before


@pytest.mark.sanitized
def test_a_dying_worker_takes_only_its_session(new_family, ca):
    """A worker that dies on a signal also makes the gate start anew, with a new address layout."""
    family = new_family()
    with family.http(family.admin) as one:
        assert one.get("/vms").status_code == 200
        gate = family.role("vmm_gate")
        [worker] = proc.children(gate)
        os.kill(worker, signal.SIGABRT)
        until(lambda: family.role("vmm_gate") not in (None, gate), "the gate is executed anew")
    until(lambda: served(family, family.admin), "service goes on")
