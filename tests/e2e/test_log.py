"""The event log: what happens is in it, each session sees its scope, and nothing of it is lost."""

import json
import os
import re
import signal
import socket

import pytest

import mint
import proc
from family import until

LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+00:00: (.*)")


def entries(family, chain=None, query=""):
    answer = family.curl(chain or family.admin, f"/log{query}")
    assert answer.status == 200, answer
    return [json.loads(line) for line in answer.body.splitlines()]


def texts(family, chain=None):
    """What the log says, without addresses, ports and pids."""
    return [re.sub(r"127\.0\.0\.1:\d+|(?<=(STARTED|STOPPED) )\d+", "N", entry["text"])
            for entry in entries(family, chain)]


def setting(family, ca):
    """A delegation, an admin of it, a VM below it that ran and was destroyed."""
    dev = ca.delegation(ca.unique("dev"))
    admin = ca.command(ca.unique("admin"), issuer=dev)
    vm = ca.unique("hello")
    family.deploy(ca.vm(vm, family.tree.guest("idle"), issuer=dev))
    assert family.curl(admin, f"/vms/{vm}", "-X", "DELETE").status == 204
    return dev, admin, vm


def test_what_happens_is_logged(new_family, ca):
    family = new_family()
    dev, admin, vm = setting(family, ca)
    said = texts(family, admin)
    for line in (f"{vm} LOGIN N", f"{vm} STARTED N (tap no, block no)", f"{vm} LOGOUT N"):
        assert line in said
    assert any(line.startswith(f"{vm} STOPPED N with signal 15 (destroyed") for line in said), said
    assert any(line.startswith(f"{vm} STARTED") for line in said)
    assert texts(family)[0] == "vmmd STARTUP"
    assert f"{dev}/{vm} STARTED N (tap no, block no)" in texts(family)
    seqs = [entry["seq"] for entry in entries(family)]
    assert seqs == sorted(set(seqs))


def test_a_refused_start_is_logged(new_family, ca):
    family = new_family()
    dev = ca.delegation(ca.unique("dev"), vms=0)
    name = ca.unique("hello")
    assert family.client(ca.vm(name, family.tree.guest("hello"), issuer=dev)).code == 1
    assert f"{name} FAILED: {dev} has no room for another VM: it grants 0" in \
        texts(family, ca.command(ca.unique("admin"), issuer=dev))


def test_a_scope_sees_nothing_beside_it(new_family, ca):
    family = new_family()
    _, alice, _ = setting(family, ca)
    other, bob, vm = setting(family, ca)
    for entry in entries(family, alice):
        assert other not in json.dumps(entry) and vm not in json.dumps(entry)
    assert any(vm in line for line in texts(family, bob))


def test_a_refused_chain_is_logged(new_family, ca, tmp_path):
    family = new_family()
    dev, _, _ = setting(family, ca)
    leaf = mint.certificate("early", mint.load(ca, dev), mint.command(0), since=mint.DAY,
                            until=2 * mint.DAY)
    early = mint.chain(tmp_path, "early", leaf)
    assert family.curl(early, "/").status == 403
    until(lambda: any("REFUSED" in line and "early" in line for line in texts(family)),
          "the refusal is in the log")
    assert not any("early LOGIN" in line for line in texts(family))


@pytest.mark.parametrize("victim", ["vmm_log", "vmmd"])
def test_nothing_is_lost_when_it_is_killed(new_family, ca, victim):
    """What was logged is there once, in order, afterwards; what comes then as well."""
    family = new_family()
    _, admin, vm = setting(family, ca)
    before = entries(family, admin)
    for _ in range(5):
        if victim == "vmmd":
            family.kill()
            family.start()
        else:
            pid = family.role("vmm_log")
            os.kill(pid, signal.SIGKILL)
            until(lambda: family.role("vmm_log") not in (None, pid), "another one is there")
        until(lambda: family.curl(admin, "/log").status == 200, "the log is back")
    after = entries(family, admin)
    assert after[:len(before)] == before
    assert len({entry["seq"] for entry in after}) == len(after)
    assert [entry["seq"] for entry in after] == sorted(entry["seq"] for entry in after)
    if victim == "vmmd":
        assert texts(family).count("vmmd STARTUP") == 6


def file_lines(path):
    """The texts of the file's lines, each of which is dated."""
    lines = path.read_text().splitlines()
    matches = [LINE.fullmatch(line) for line in lines]
    assert all(matches), lines
    return [match[1] for match in matches]


def served(family):
    """Somebody logs in, when both the gate and who judges chains are up: SIGHUP replaces them."""
    return family.curl(family.admin, "/vms").status == 200


def logged_in(family, lines):
    """A login is in LINES(); how many were there before is of no interest."""
    before = sum("LOGIN" in line for line in lines())
    until(lambda: served(family), "vmmd serves")
    until(lambda: sum("LOGIN" in line for line in lines()) > before, "the login is there")


def test_the_file(new_family, tmp_path):
    """It is appended to, for its owner alone, also by a vmm_log that came later; SIGHUP opens it anew."""
    path, old = tmp_path / "events", tmp_path / "events.1"
    family = new_family(options=["--log-file", path])
    until(lambda: file_lines(path) == ["vmmd STARTUP"], "the first line")
    assert path.stat().st_mode & 0o777 == 0o600
    logged_in(family, lambda: file_lines(path))
    pid = family.role("vmm_log")
    os.kill(pid, signal.SIGKILL)
    logged_in(family, lambda: file_lines(path))
    path.rename(old)
    logged_in(family, lambda: file_lines(old))
    os.kill(family.pid, signal.SIGHUP)
    until(path.exists, "a new file")
    logged_in(family, lambda: file_lines(path))
    assert "vmmd STARTUP" not in file_lines(path)


def planted_link(path):
    path.symlink_to(path.parent / "victim")


def planted_fifo(path):
    os.mkfifo(path)


def planted_hard_link(path):
    (path.parent / "victim").write_text("")
    os.link(path.parent / "victim", path)


@pytest.mark.parametrize("plant", [planted_link, planted_fifo, planted_hard_link, os.mkdir])
def test_the_file_is_no_way_to_another(new_family, tmp_path, plant):
    path = tmp_path / "events"
    plant(path)
    with pytest.raises(AssertionError, match="vmmd ended at its start"):
        new_family(options=["--log-file", path])
    assert not (tmp_path / "victim").exists() or (tmp_path / "victim").read_text() == ""


# A /dev of its own for vmmd, whose log is the socket $1.
OWN_DEV = """mkdir -p "$0" && mount -t tmpfs dev "$0" && for node in null zero urandom kvm; do
    [ ! -e /dev/$node ] || { touch "$0/$node" && mount --bind /dev/$node "$0/$node"; }; done &&
    ln -s "$1" "$0/log" && mount --move "$0" /dev && shift && exec "$@" """


@pytest.mark.root("mounts")
def test_syslog(new_family, tmp_path):
    """Every line; when syslog is started again, SIGHUP finds it."""
    path, heard = tmp_path / "syslog", []

    def listen():
        path.unlink(missing_ok=True)
        end = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        end.bind(str(path))
        end.setblocking(False)
        return end

    def lines():
        try:
            while True:
                heard.append(end.recv(4096).decode())
        except BlockingIOError:
            return heard

    with listen() as end:
        family = new_family(options=["--syslog"],
                            wrapper=["unshare", "--mount", "sh", "-c", OWN_DEV,
                                     tmp_path / "dev", path])
        until(lambda: lines()[:1] == ["<29>vmm: vmmd STARTUP"], "the first line")
        logged_in(family, lines)
    logged_in(family, lambda: family.log().splitlines())
    until(lambda: "syslog does not take the event log" in family.log(), "it is said")
    with listen() as end:
        os.kill(family.pid, signal.SIGHUP)
        heard.clear()
        until(lambda: served(family) and "LOGIN" in "".join(lines()), "it is back")
    assert proc.alive(family.role("vmm_log"))
