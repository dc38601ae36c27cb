"""The packages in a Debian system with systemd: installed, used as the README's tour does, restarted, upgraded,
removed and purged. In this order, each goes on from what the one before left."""

import os
import re
from pathlib import Path

import pytest

from pasted import tour

from family import KVM, until
from machine import REPOSITORY, Machine, make_base, must

CA = "/root/ca"
ADMIN = "vmm_client cacert.pem admin.bundle admin.key localhost:1025"


@pytest.fixture(scope="module")
def debs(tmp_path_factory):
    """Two versions of both packages; VMM_DEBS names them where an earlier run made them."""
    if os.environ.get("VMM_DEBS"):
        return Path(os.environ["VMM_DEBS"])
    folder = tmp_path_factory.mktemp("debs")
    for name, environment in (("old", "REVISION="), ("new", "REVISION=+1")):
        must(["env", environment, REPOSITORY / "packaging/deb", folder / name])
    return folder


@pytest.fixture(scope="module")
def machine(debs):
    make_base([*debs.glob("old/vmm_*.deb"), *debs.glob("old/vmm-client_*.deb")])
    machine = Machine(debs)
    yield machine
    machine.close()


def install(machine, version):
    done = machine(f"apt-get -q install -y /debs/{version}/vmm_*.deb /debs/{version}/vmm-client_*.deb")
    return done.out + done.err


def states(machine, *units):
    return machine("systemctl is-active " + " ".join(units), check=False).out.split()


def hellos(machine):
    """How often the guest has said hello so far."""
    listed = machine(f"{ADMIN} -c 'info hello' --json", cwd=CA).out
    assert '"running"' in listed
    lines = machine("curl -s --http2 --cacert cacert.pem --cert admin.bundle --key admin.key "
                    "https://localhost:1025/vms/hello/console", cwd=CA).out
    return lines.count("hello")


def test_installs_and_starts_nothing(machine):
    said = install(machine, "old")
    assert "vmm: put cacert.pem, server.pem and server.key into /etc/vmm" in said
    assert states(machine, "vmmd.service", "vmmd.socket") == ["inactive", "inactive"]
    machine("systemctl start vmmd.service")
    assert states(machine, "vmmd.service", "vmmd.socket") == ["inactive", "inactive"], "without certificates"
    for kind, name in enumerate(("vmm_auth", "vmm_gate", "vmm_console", "vmm_log")):
        assert machine(f"id -u {name}").out == f"{0x70000001 + kind}\n"
    assert machine("stat -c '%a %U' /var/lib/vmm /run/vmm").out == "700 root\n" * 2


def prepare(machine, lines):
    """The tour's certificates, and the daemon as a unit."""
    for line in lines:
        machine(line, cwd=CA)
    machine(f"install -m 0400 {CA}/server.key /etc/vmm && cp {CA}/cacert.pem {CA}/server.pem /etc/vmm")
    machine("systemctl enable --now vmmd.service vmmd.socket")
    assert states(machine, "vmmd.service", "vmmd.socket") == ["active", "active"]


def test_tour_works(machine):
    lines = [line.replace("../build/guest", "/usr/share/vmm/guest") for line in tour()[2:]]
    lines = lines if KVM else [line.replace(".hvt", ".spt") for line in lines]
    [daemon] = [n for n, line in enumerate(lines) if line.startswith("vmmd ")]
    machine(f"mkdir {CA}")
    prepare(machine, lines[:daemon])
    for line in lines[daemon + 1:]:
        watch = "timeout --preserve-status -s INT 3 " if "attach hello" in line else ""
        machine(watch + line, cwd=CA)


def test_roles_have_names(machine):
    users = machine("ps -C vmm_auth,vmm_gate,vmm_console,vmm_log -o user:16=,comm=").out
    pairs = [line.split() for line in users.splitlines()]
    assert {name for _, name in pairs} == {"vmm_auth", "vmm_gate", "vmm_console", "vmm_log"}
    assert all(user == name for user, name in pairs)


def test_a_restart_stops_no_vm(machine):
    machine("vmm_client cacert.pem hello.bundle hello.key localhost:1025", cwd=CA)
    monitors = machine.monitors()
    assert len(monitors) == 1
    before = machine.main_pid()
    machine("systemctl restart vmmd.service")
    assert machine.main_pid() != before
    assert machine.monitors() == monitors
    assert hellos(machine) > 0
    machine("systemctl reload vmmd.service")
    # A handshake that the old vmm_auth was judging ends with it.
    until(lambda: machine(f"{ADMIN} -c info", check=False, cwd=CA).code == 0, "clients are served")
    assert machine.monitors() == monitors


def test_the_socket_starts_it(machine):
    """Stopped, it is started by whoever connects, who is served."""
    monitors = machine.monitors()
    machine("systemctl stop vmmd.service")
    assert states(machine, "vmmd.service", "vmmd.socket") == ["inactive", "active"]
    assert hellos(machine) > 0
    assert states(machine, "vmmd.service") == ["active"]
    assert machine.monitors() == monitors


def test_an_upgrade_stops_no_vm(machine):
    monitors, before, said = machine.monitors(), machine.main_pid(), hellos(machine)
    old = machine.version()
    socket = machine("systemctl show -p ActiveEnterTimestampMonotonic vmmd.socket").out
    install(machine, "new")
    assert machine.version() == old + "+1"
    assert machine.main_pid() not in (before, 0)
    assert "(deleted)" not in machine(f"readlink /proc/{machine.main_pid()}/exe").out
    assert machine.monitors() == monitors
    assert machine("systemctl show -p ActiveEnterTimestampMonotonic vmmd.socket").out == socket
    until(lambda: hellos(machine) > said, "the console goes on")


def test_removal_is_refused_while_a_vm_runs(machine):
    monitors = machine.monitors()
    done = machine("apt-get -q remove -y vmm", check=False)
    assert done.code != 0
    assert "vmm: 1 virtual machines run" in done.out + done.err
    assert machine.monitors() == monitors
    assert hellos(machine) > 0


def test_removal_ends_them_when_told(machine):
    machine("echo vmm vmm/remove-ends-vms boolean true | debconf-set-selections")
    machine("apt-get -q remove -y vmm")
    assert machine.monitors() == []
    assert machine("pgrep vmm", check=False).out == ""
    assert machine("ss -Hltn sport = :1025").out == ""
    assert machine("ls /run/vmm", check=False).code != 0
    assert machine("ip -br link", check=False).out.split()[0] == "lo"
    left = machine("find / -xdev -path /debs -prune -o -name 'vmm*' -print | grep -v -e '^/proc' -e /dpkg/").out
    assert "/usr/bin/vmmd" not in left


def test_purge_keeps_state_unasked(machine):
    done = machine("apt-get -q purge -y vmm")
    assert re.search("vmm: kept, .* /var/lib/vmm .* /etc/vmm", done.out + done.err)
    machine("test -s /etc/vmm/server.key && ls /var/lib/vmm/revocations/* && ls -d /var/lib/vmm/volumes")


def test_purge_removes_state_when_told(machine):
    install(machine, "new")
    assert states(machine, "vmmd.service") == ["inactive"]
    machine("echo vmm vmm/purge-state boolean true | debconf-set-selections")
    machine("apt-get -q purge -y vmm")
    assert machine("ls -d /etc/vmm /var/lib/vmm", check=False).out == ""
    assert machine("debconf-show vmm").out == ""
