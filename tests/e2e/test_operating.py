"""doc/operating.md as it is typed: the first host, bridges, NAT, what comes back from a backup, and the messages it
explains. (Its sections about tokens: test_tokens.py.)"""

import contextlib
import errno
import os
import re
import select
import shutil
import stat
import subprocess

import pytest

import disks
import ground
from conftest import REPOSITORY
from family import run, until
from net import READY
from pasted import blocks
from volume_world import Tenant, pattern

PAGE = "doc/operating.md"
HOST, LAN = "192.0.2.10", "192.0.2.1"


def block(section, *, before=None, first=None):
    """The one of SECTION that BEFORE is in front of, or that begins with FIRST."""
    found = [one.lines for one in blocks(PAGE, section)
             if (before is None or before in one.before) and (first is None or one.lines[0].startswith(first))]
    assert len(found) == 1, (section, before, first, found)
    return found[0]


def typed(lines, cwd="/", path=None):
    environment = {**os.environ, "PATH": f"{path}:{os.environ['PATH']}"} if path else None
    done = run(["sh", "-exc", "\n".join(lines)], cwd=cwd, env=environment)
    assert done.code == 0, done
    return done.out


# The first host

@pytest.mark.root("files of root's")
def test_the_first_host(tree, tmp_path):
    """Keys end up where the page says, and vmmd would start with them."""
    authority, host, etc = (tmp_path / name for name in ("authority", "host", "etc"))
    authority.mkdir(), host.mkdir()
    typed(block("The first host", first="vmm_ca init"), authority, tree.bin)
    for name in ("cacert.pem", "server.pem", "server.key"):
        shutil.copy(authority / name, host)
    typed([line.replace("/etc/vmm", str(etc)) for line in block("The first host", first="install")], host, tree.bin)
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in etc.iterdir()} == {
        "cacert.pem": 0o644, "server.pem": 0o644, "server.key": 0o400}
    assert not list(host.rglob("ca.key"))

    old = (authority / "server.pem").read_bytes()
    typed(block("The server's certificate"), authority, tree.bin)
    new = (authority / "server.pem").read_bytes()
    assert new != old
    names = run(["openssl", "x509", "-in", authority / "server.pem", "-noout", "-ext", "subjectAltName"]).out
    assert "DNS:vm.example.org, DNS:localhost" in names


# Bridges and NAT: the tests' own network is the host's; what is outside has one of its own, behind eth0

class Outside:
    """The network that the host's eth0 is in: LAN answers there. A process holds the namespace."""

    def __init__(self):
        self.holder = subprocess.Popen(["unshare", "--net", "sh", "-c", READY], stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, encoding="ascii")
        assert self.holder.stdout.readline() == "ready\n"
        ground.ip("link", "add", "eth0", "type", "veth", "peer", "name", "eth1", "netns", str(self.holder.pid))
        ground.ip("address", "add", f"{HOST}/24", "dev", "eth0")
        ground.ip("link", "set", "eth0", "up")
        self("ip", "address", "add", f"{LAN}/24", "dev", "eth1")
        self("ip", "link", "set", "lo", "up")
        self("ip", "link", "set", "eth1", "up")

    def line(self, *words):
        return ["nsenter", "--net", f"--target={self.holder.pid}", *map(str, words)]

    def __call__(self, *words):
        done = run(self.line(*words))
        assert done.code == 0, done
        return done.out

    def close(self):
        self.holder.stdin.close()
        self.holder.wait()
        until(lambda: not ground.exists("eth0"), "the namespace is gone, and eth0 with it")


@pytest.fixture
def outside():
    made = Outside()
    yield made
    made.close()


# An echo that says, with each answer, who asked.
ECHO = """
import socket, sys
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind((sys.argv[1], 7))
print("ready", flush=True)
while True:
    data, peer = server.recvfrom(2048)
    print(peer[0], flush=True)
    server.sendto(data, peer)
"""

# Asks until it is answered.
ASK = """
import socket, sys
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.connect((sys.argv[1], int(sys.argv[2])))
client.settimeout(1)
while True:
    try:
        client.send(b"anybody?")
        if client.recv(64) == b"anybody?":
            break
    except OSError:
        pass
"""


@contextlib.contextmanager
def echo(address, prefix=()):
    """Its standard output: who asked, a line each."""
    with subprocess.Popen([*prefix, "/usr/bin/python3", "-c", ECHO, address], stdout=subprocess.PIPE,
                          encoding="ascii") as server:
        try:
            assert server.stdout.readline() == "ready\n"
            yield server.stdout
        finally:
            server.kill()


# /sys shows the network of who mounted it.
OWN_SYS = ["unshare", "--mount", "sh", "-ec", 'mount -t sysfs none /sys; exec sh -exc "$0"']


@contextlib.contextmanager
def interfaces(lines, *names):
    """What LINES make, gone afterwards."""
    try:
        done = run([*OWN_SYS, "\n".join(lines)])
        assert done.code == 0, done
        yield
    finally:
        for name in names:
            run(["ip", "link", "delete", name])


def bridge_option(section):
    """The bridge of a delegation that the section gives as an example, its first one."""
    text = (REPOSITORY / PAGE).read_text().partition(f"\n## {section}\n")[2]
    return re.search(r"`--bridge (\S+)`", text)[1]


class Guests:
    """A top delegation with one bridge, and its VMs."""

    def __init__(self, family, bridge):
        self.family, self.ca, self.bridge = family, family.ca, bridge
        self.name = self.ca.delegation(self.ca.unique("guests"), vms=4, memory=256, extra=("--bridge", bridge))

    def start(self, guest, *args):
        name = self.ca.unique("vm")
        chain = self.ca.vm(name, self.family.tree.guest(guest), issuer=self.name, memory=8,
                           args=("--ipv4={address}/{netmask}", "--router={router}", *args),
                           extra=("--net", self.bridge.partition("/")[0]))
        self.family.deploy(chain)
        return f"{self.name}/{name}"

    def ended(self, path):
        """What it said, when it has ended."""
        until(lambda: any("ended" in line for line in self.family.console(path)), f"{path} has ended")
        return [line.get("line") for line in self.family.console(path)]


@pytest.mark.network("bridges and taps")
def test_a_bridge_with_an_uplink(family, outside):
    mac = ground.links()["eth0"]["address"]
    with interfaces(block("Bridges", first="ip link add ext"), "ext"):
        guests = Guests(family, bridge_option("Bridges"))
        guests.start("net")
        outside("/usr/bin/python3", "-c", ASK, "192.0.2.20", 7)
        assert ground.links()["ext"]["address"] == mac, "whatever MAC a VM's tap has"
        assert f"default via {LAN} dev ext" in ground.ip("route")


@contextlib.contextmanager
def translation(folder, without=None):
    """The page's NAT: its bridge and its rules, loaded twice. WITHOUT: but for the one line that begins so."""
    lines = block("NAT", before="/etc/vmm/nat.nft")
    left = [line for line in lines if not (without and line.strip().startswith(without))]
    assert len(lines) - len(left) == bool(without)
    rules = folder / "nat.nft"
    rules.write_text("\n".join(left) + "\n")
    load = [line.replace("/etc/vmm/nat.nft", str(rules)) for line in block("NAT", first="nft -f")]
    with interfaces(block("NAT", first="ip link add nat0"), "nat0"):
        try:
            typed(load + load)
            yield
        finally:
            run(["nft", "delete", "table", "ip", "vmm_nat"])


@pytest.mark.network("bridges, taps and NAT")
def test_out_through_nat(family, outside, tmp_path):
    """A VM's question arrives as the host's, and its answer at the VM."""
    with translation(tmp_path), echo(LAN, outside.line()) as asked:
        guests = Guests(family, bridge_option("NAT"))
        assert f"ask: {LAN} answers" in guests.ended(guests.start("ask", f"--to={LAN}"))
        assert asked.readline() == f"{HOST}\n"


@pytest.mark.network("bridges, taps and NAT")
def test_in_through_nat(family, outside, tmp_path):
    """The port that is published, at the one address of a delegation."""
    published = "nat0/10.77.0.99/10.77.0.99/10.77.0.1/24"
    assert f"`--bridge {published}`" in (REPOSITORY / PAGE).read_text()
    with translation(tmp_path):
        Guests(family, published).start("net")
        outside("/usr/bin/python3", "-c", ASK, HOST, 5007)


@pytest.fixture
def private(outside):
    """An address of a private network that the host reaches."""
    address = "10.1.2.3"
    outside("ip", "address", "add", f"{address}/32", "dev", "eth1")
    ground.ip("route", "add", f"{address}/32", "via", LAN)
    return address


# What is closed to guests, where that is, and by which line of the rules
CLOSED = {
    "router": (lambda private: "10.77.0.1", False, 'iifname "nat0" drop'),
    "host": (lambda private: HOST, False, 'iifname "nat0" drop'),
    "private": (lambda private: private, True, "ip daddr {"),
}


@pytest.mark.network("bridges, taps and NAT")
@pytest.mark.parametrize("what", CLOSED)
def test_not_through_nat(family, outside, private, tmp_path, what):
    """A guest asks and is not heard, for that line: without it, it is answered."""
    address, is_outside, line = CLOSED[what]
    address = address(private)
    prefix = outside.line() if is_outside else ()
    guests = Guests(family, bridge_option("NAT"))
    with translation(tmp_path), echo(address, prefix) as heard:
        with ground.Capture("nat0") as frames:
            asking = guests.start("ask", f"--to={address}")
            until(lambda: len(frames.having(b"anybody?")) >= 3, "it has asked again and again")
            assert not select.select([heard], [], [], 0)[0]
            assert [vm["path"] for vm in family.running()] == [asking]
            family.destroy_all()
    with translation(tmp_path, line), echo(address, prefix):
        assert f"ask: {address} answers" in guests.ended(guests.start("ask", f"--to={address}"))


# Back from a copy

@pytest.fixture(params=["dir", "btrfs"])
def disk(request, tmp_path):
    with disks.KINDS[request.param](tmp_path) as made:
        yield made


@pytest.mark.root("a family whose volumes are copied")
def test_volumes_back(disk, ca, new_family, tmp_path):
    """One volume from a snapshot; then all of a tenant, with vmmd stopped."""
    family = new_family(("--volume-dir", disk.path))
    tenant = Tenant(family, ca, "tenant")
    before, later = pattern(1 << 20), pattern(1 << 20, 7)
    tenant.made("disk")
    [folder] = [path for path in disk.path.iterdir() if len(path.name) == 64]
    tenant.upload("disk", before)
    kept = tmp_path / "kept" if disk.kind == "dir" else disk.mounted / "kept"
    copy(disk, folder, kept)
    assert (kept / "name").read_text().strip("\0\n") == tenant.name

    tenant.upload("disk", later)
    done = family.client(family.admin, f"upload-block {tenant.name}/disk {kept}/disk.vol")
    assert done.code == 0, done
    assert tenant.dump("disk") == before

    family.stop()
    remove(disk, folder)
    copy(disk, kept, folder)
    family.start()
    assert family.curl(family.admin, "/volumes").json()[0]["path"] == f"{tenant.name}/disk"
    assert tenant.dump("disk") == before
    tenant.made("another")
    if disk.kind == "btrfs":
        assert disk.limit(folder.name)
        disks.command("btrfs", "subvolume", "delete", kept)


def copy(disk, source, target):
    if disk.kind == "dir":
        disks.command("cp", "--archive", "--sparse=always", source, target)
    else:
        disks.command("btrfs", "subvolume", "snapshot", source, target)


def remove(disk, folder):
    if disk.kind == "dir":
        shutil.rmtree(folder)
    else:
        disks.command("btrfs", "subvolume", "delete", folder)


# What it explains

def table(heading):
    """The messages in the first column of the table behind HEADING."""
    text = (REPOSITORY / PAGE).read_text().partition(heading)[2].strip().split("\n\n")[0]
    return re.findall(r"^\| `(.+?)`", text, re.M)


ERRORS = {os.strerror(number) for number in errno.errorcode}


def literals():
    """The sources, every literal in one piece."""
    text = "\n".join(path.read_text() for path in sorted((REPOSITORY / "src").rglob("*.c")))
    return re.sub(r'"\s*(PRI\w+)?\s*"', "", text)


@pytest.mark.parametrize("heading", ["when it does not start:", "beside serving:", "What a client is told:"])
def test_messages(heading):
    """Each is one that a program says; dots stand for what differs, alerts are said behind "TLS: "."""
    said, messages = literals(), table(heading)
    assert len(messages) > 4
    for message in messages:
        for piece in re.split(r"\.\.\.(?:/\.\./libexec/vmm)?", message.removeprefix("TLS: ")):
            assert piece.strip() in said or piece.strip(": ") in ERRORS, (message, piece)
