"""vmm_ca as its users have it: files in, files out, judged by the openssl tool."""

import datetime
import hashlib
import os
import re
import resource
import stat
import subprocess
from pathlib import Path

import pytest

import mint
import solo5
from family import run

pytestmark = pytest.mark.sanitized

OURS = "1.3.6.1.4.1.49836.42"
DELEGATION = ("--vms", "2", "--memory", "1024", "--cpu", "0", "--cpu", "1")


class Folder:
    """A directory in which somebody uses vmm_ca."""

    def __init__(self, program, path):
        self.program = program
        self.path = path
        path.mkdir(exist_ok=True)

    def __truediv__(self, name):
        return self.path / name

    def call(self, *words, **options):
        return run([self.program, *words], cwd=self.path, **options)

    def ok(self, *words, **options):
        done = self.call(*words, **options)
        assert (done.code, done.err) == (0, "")
        return done.out

    def refused(self, *words, code=1, **options):
        """The one line that says why, without the program's name. Nothing is left of the attempt."""
        before = self.files()
        done = self.call(*words, **options)
        assert done.code == code, done
        assert done.err.count("\n") == 1 and done.err.startswith("vmm_ca"), done.err
        assert self.files() == before
        return done.err.rstrip("\n").partition(": ")[2]

    def files(self):
        return {path.name: path.read_bytes() for path in self.path.iterdir() if path.is_file()}

    def write(self, name, data):
        (self / name).write_bytes(data)
        return name

    def vm(self, name="hello", image="hello.hvt", memory="32", cpu="1", more=()):
        return ("vm", name, image, "--memory", memory, "--cpu", cpu, *more)

    def sign(self, name, issuer="dev", more=()):
        cert = "cacert.pem" if issuer == "ca" else f"{issuer}.pem"
        return ("sign", f"{name}.req", "--ca", cert, "--key", f"{issuer}.key", "--db",
                f"{issuer}.db", *more)

    def revoke(self, name, issuer="dev"):
        return ("revoke", name, "--ca", f"{issuer}.pem", "--key", f"{issuer}.key", "--db",
                f"{issuer}.db")

    def openssl(self, *words):
        done = run(["openssl", *words], cwd=self.path)
        assert done.code == 0, done.err
        return done.out

    def serial(self, name):
        return int(self.openssl("x509", "-noout", "-serial", "-in", f"{name}.pem")
                   .strip().removeprefix("serial="), 16)

    def db(self, name="dev"):
        lines = (self / f"{name}.db").read_text().splitlines()
        return {line.partition(" ")[2]: int(line.partition(" ")[0]) for line in lines}

    def extension(self, file, arc):
        """The value of ours, in hex, as openssl asn1parse prints it."""
        lines = self.openssl("asn1parse", "-in", file).splitlines()
        at = next(n for n, line in enumerate(lines) if line.endswith(f":{OURS}.{arc}"))
        return lines[at + 1].partition("[HEX DUMP]:")[2]

    def verifies(self, name):
        """The whole bundle, by openssl, below the root."""
        leaf = "CA:FALSE" in self.openssl("x509", "-noout", "-text", "-in", f"{name}.pem")
        self.openssl("verify", "-CAfile", "cacert.pem", "-untrusted", f"{name}.bundle",
                     *(("-purpose", "sslclient") if leaf else ()), f"{name}.pem")
        return True


@pytest.fixture
def folder(build, tmp_path):
    """Empty."""
    return Folder(build / "src/ca/vmm_ca", tmp_path / "work")


@pytest.fixture
def dev(folder):
    """With a CA, a delegation dev of 2 VMs, 1024 MB, CPUs 0 and 1, and an image."""
    folder.ok("init", "--server", "localhost")
    folder.ok("delegation", "dev", *DELEGATION, "--issuer", "ca")
    folder.write("hello.hvt", solo5.image())
    return folder


def octets(serial):
    return serial.to_bytes((serial.bit_length() + 7) // 8, "big")


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


# init and server

def test_init_makes_five_files(folder):
    folder.ok("init", "--server", "vm.example", "--server", "192.0.2.1", "--server", "::1")
    assert set(folder.files()) == {"ca.key", "cacert.pem", "ca.db", "server.key", "server.pem"}
    assert mode(folder / "ca.key") == mode(folder / "server.key") == 0o400
    assert (folder / "ca.db").read_bytes() == b""
    root = folder.openssl("x509", "-in", "cacert.pem", "-noout", "-text")
    assert "CA:TRUE" in root and "Certificate Sign, CRL Sign" in root
    assert "Subject Key Identifier" in root and "prime256v1" in root and OURS not in root
    server = folder.openssl("x509", "-in", "server.pem", "-noout", "-text")
    assert "CA:FALSE" in server and "TLS Web Server Authentication" in server
    assert "DNS:vm.example, IP Address:192.0.2.1, IP Address:0:0:0:0:0:0:0:1" in server
    assert OURS not in server
    folder.openssl("verify", "-CAfile", "cacert.pem", "-purpose", "sslserver", "server.pem")


def test_init_without_a_name_is_for_this_host(folder):
    folder.ok("init")
    server = folder.openssl("x509", "-in", "server.pem", "-noout", "-ext", "subjectAltName")
    assert "DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1" in server
    assert f"DNS:{os.uname().nodename}" in server


def test_init_elsewhere_with_a_name_and_days(folder):
    folder.ok("init", "--dir", "sub", "--name", "my CA", "--days", "2", "--server", "a")
    text = folder.openssl("x509", "-in", "sub/cacert.pem", "-noout", "-subject")
    assert text.strip() == "subject=CN = my CA"
    end = folder.openssl("x509", "-in", "sub/cacert.pem", "-noout", "-enddate")
    # The server's own year ends with its issuer.
    assert end == folder.openssl("x509", "-in", "sub/server.pem", "-noout", "-enddate")


@pytest.mark.parametrize("file", ["ca.key", "cacert.pem", "ca.db", "server.key", "server.pem"])
def test_init_overwrites_nothing(folder, file):
    folder.write(file, b"mine")
    assert folder.refused("init") == f"{file}: exists already and is not overwritten"


@pytest.mark.parametrize("words, why", [
    (("--server", "a b"), "server: 'a b' is neither a host name nor an IP address"),
    (("--server", "x,IP:1.2.3.4"),
     "server: 'x,IP:1.2.3.4' is neither a host name nor an IP address"),
    (("--name", "a/b"), "name: 'a/b' contains '/'"),
    (("--name", "a", "--server", "a"),
     "server: a is the name of the CA too; give the CA another"),
    (("--dir", "no/such"), "no/such: No such file or directory"),
])
def test_init_refuses(folder, words, why):
    assert folder.refused("init", *words) == why


def test_init_leaves_no_directory_behind(folder):
    folder.refused("init", "--dir", "new", "--name", "-")
    assert not (folder / "new").exists()


def test_server_renews_with_the_same_key(dev):
    key, old = (dev / "server.key").read_bytes(), dev.serial("server")
    dev.ok("server", "other.example", "10.0.0.1", "--days", "3")
    assert (dev / "server.key").read_bytes() == key and dev.serial("server") != old
    text = dev.openssl("x509", "-in", "server.pem", "-noout", "-ext", "subjectAltName")
    assert "DNS:other.example, IP Address:10.0.0.1" in text
    dev.openssl("verify", "-CAfile", "cacert.pem", "-purpose", "sslserver", "server.pem")


def test_server_needs_the_ca(folder):
    assert folder.refused("server", "x") == "cacert.pem: No such file or directory"


# The four shapes

def test_acceptance_lines(folder, build):
    image = build / "guest/hello.hvt"
    folder.ok("init", "--server", "localhost")
    folder.ok("delegation", "dev", *DELEGATION)
    folder.ok(*folder.sign("dev", "ca"))
    folder.ok("command", "admin", "--permission", "all", "--issuer", "dev")
    folder.ok("vm", "hello", image, "--memory", "32", "--cpu", "1", "--arg", "Hello",
              "--issuer", "dev")
    assert folder.extension("admin.pem", 42) == "03020780"
    assert folder.extension("admin.pem", 0) == "020100"
    assert folder.extension("hello.pem", 42) == "03020520"
    assert folder.extension("hello.pem", 5) == "020120"
    assert folder.extension("hello.pem", 6) == "020101"
    assert folder.extension("hello.pem", 10) == "30070C0548656C6C6F"
    assert re.match("^A08[2-4][0-9A-F]+048[2-4][0-9A-F]+7F454C46", folder.extension("hello.pem", 9))
    assert all(folder.verifies(name) for name in ("dev", "admin", "hello"))
    assert (folder / "hello.bundle").read_bytes() == \
        (folder / "hello.pem").read_bytes() + (folder / "dev.pem").read_bytes()
    assert (folder / "dev.bundle").read_bytes() == (folder / "dev.pem").read_bytes()


def test_delegation_bytes(dev):
    dev.ok("delegation", "d", "--vms", "128", "--memory", "512", "--cpu", "1", "--cpu", "0",
           "--cpu", "1", "--block", "128", "--bridge", "ext/10.0.0.2/10.0.0.5/10.0.0.1/24",
           "--issuer", "ca", "--path-length", "1")
    assert dev.extension("d.pem", 0) == "020100"
    assert dev.extension("d.pem", 1) == "02020080"
    assert dev.extension("d.pem", 2) == \
        "301EA11C301A0C0365787404040A00000204040A00000504040A000001020118"
    assert dev.extension("d.pem", 3) == "02020080"
    assert dev.extension("d.pem", 4) == "3006020100020101"
    assert dev.extension("d.pem", 5) == "02020200"
    text = dev.openssl("x509", "-in", "d.pem", "-noout", "-text")
    assert "CA:TRUE, pathlen:1" in text and "Certificate Sign, CRL Sign" in text
    assert re.search("Extended Key Usage: \n *TLS Web Client Authentication\n", text)
    assert "X509v3 Basic Constraints: critical" in text and "X509v3 Key Usage: critical" in text
    dev.ok("delegation", "e", *DELEGATION, "--bridge", "lan", "--issuer", "ca")
    assert dev.extension("e.pem", 2) == "3007A0050C036C616E"


def test_leaf_standard_extensions(dev):
    dev.ok("command", "admin", "--permission", "info", "--permission", "console", "--issuer", "dev")
    assert dev.extension("admin.pem", 42) == "03020244"
    text = dev.openssl("x509", "-in", "admin.pem", "-noout", "-text")
    assert "CA:FALSE" in text and re.search("Key Usage: critical\n *Digital Signature\n", text)
    assert re.search("Extended Key Usage: \n *TLS Web Client Authentication\n", text)
    assert "Authority Key Identifier" in text and "Subject Key Identifier" in text


def test_force_takes_the_place_of_image(dev):
    dev.ok(*dev.vm(more=("--force", "--issuer", "dev")))
    assert dev.extension("hello.pem", 42) == "0303060040"


def test_an_arm64_image_is_the_other_choice(dev):
    dev.write("arm.hvt", solo5.image(machine=solo5.AARCH64))
    dev.ok(*dev.vm(image="arm.hvt", more=("--issuer", "dev")))
    assert dev.extension("hello.pem", 9).startswith("A1")


@pytest.mark.parametrize("target, needed", [(solo5.HVT, 4), (solo5.SPT, 3)])
def test_an_image_is_for_hvt_or_spt(dev, target, needed):
    """Memory comes in pages of 2 MB to the one, in megabytes to the other."""
    dev.write("any.img", solo5.image(target=target, memory=(1 << 20) + 4096))
    line = ("vm", "any", "any.img", "--cpu", "0", "--memory")
    assert dev.refused(*line, "2").endswith(f"any.img needs at least {needed} MB of memory, is given 2 MB")
    dev.ok(*line, str(needed))


def test_devices_as_the_manifest_has_them(dev):
    dev.write("web.hvt", solo5.image([("service", solo5.NET), ("backup", solo5.NET),
                                      ("disk", solo5.BLOCK)]))
    web = ("vm", "web", "web.hvt", "--memory", "32", "--cpu", "0")
    full = ("--net", "ext", "--net", "backup:lan", "--block", "disk:data1")
    dev.ok(*web, *full)
    assert dev.refused(*web, "--key", "web.key", *full[2:]) == \
        "--net: 1 given, the image declares 2 (service, backup)"
    assert dev.refused(*web, "--key", "web.key", *full[:4]) == \
        "--block: 0 given, the image declares 1 (disk)"
    assert dev.refused(*web, "--key", "web.key", *full, "--net", "third:ext") == \
        "--net: third is given, the image declares service, backup"
    assert dev.refused(*web, "--key", "web.key", "--net", "a:ext", *full[2:]) == \
        "--net: a is given, the image declares service, backup"
    assert dev.refused(*web, "--key", "web.key", "--net", "backup:ext", *full[2:]) == \
        "--net: backup is given twice"
    # dev grants no bridge at all.
    assert dev.refused(*web, "--key", "web.key", *full, "--issuer", "dev") == \
        "bridge ext: asked for, dev grants none"
    dev.ok("delegation", "net", *DELEGATION, "--bridge", "ext/10.0.0.2/10.0.0.5/10.0.0.1/24",
           "--bridge", "lan", "--issuer", "ca")
    dev.ok(*web, "--key", "web.key", *full, "--issuer", "net")
    assert dev.extension("web.pem", 7) == "30110C036578740C0A6261636B75703A6C616E"
    assert dev.extension("web.pem", 8) == "0C0A6469736B3A6461746131"
    for arg, why in (("{mac}", "the VM has 2 network devices: say which, {WORD:BRIDGE}"),
                     ("{address:lan}", "bridge lan is internal, it has no addresses"),
                     ("{router:wan}", "the VM has no network device on that bridge")):
        assert dev.refused(*web, "--key", "web.key", *full, "--arg", "--ip=" + arg, "--issuer", "net") == \
            f"argv: {arg}: {why}"

def test_the_mac_is_shown(dev):
    """SHA-256 of the labels from the top down, which are SHA-256 of the serials, and of the device's name."""
    dev.write("web.hvt", solo5.image([("service", solo5.NET), ("backup", solo5.NET)]))
    dev.ok("delegation", "net", *DELEGATION, "--bridge", "lan", "--bridge", "wan", "--issuer", "ca")
    dev.ok("vm", "web", "web.hvt", "--memory", "32", "--cpu", "0", "--net", "lan", "--net", "service:wan",
           "--issuer", "net")
    labels = [hashlib.sha256(serial.to_bytes((serial.bit_length() + 7) // 8, "big")).digest()
              for serial in (dev.serial("net"), dev.serial("web"))]
    shown = dev.ok("show", "web.bundle")
    for device, bridge in (("backup", "lan"), ("service", "wan")):
        mac = bytearray(hashlib.sha256(b"".join(labels) + device.encode()).digest()[:6])
        mac[0] = mac[0] & 0xfc | 2
        assert f"{mac.hex(':')}, {device} on {bridge}\n" in shown
    assert "  mac " not in dev.ok("show", "web.pem"), "it stands alone: nobody knows what is above"


@pytest.mark.parametrize("data, why", [
    (b"hello", "not an ELF file"),
    (b"", "not an ELF file"),
    (solo5.image()[:5000],
     "truncated: segment 0 has 4096 bytes at byte 4096, the image has 5000"),
    (solo5.image(target=solo5.VIRTIO),
     "made for target virtio (3), this version runs hvt and spt"),
    (solo5.image(version=1), "made for hvt ABI version 1, this version runs 2"),
    (solo5.image().replace(b"Solo5", b"Other"), "no ABI1 note: not a Solo5 image"),
], ids=["text", "empty", "truncated", "target", "version", "no note"])
def test_images_that_would_not_start(dev, data, why):
    dev.write("bad.hvt", data)
    assert dev.refused(*dev.vm(image="bad.hvt", more=("--issuer", "dev"))) == \
        f"image: bad.hvt: {why}"


def test_memory_of_a_vm(dev):
    assert dev.refused(*dev.vm(memory="1")) == \
        "memory: hello.hvt needs at least 2 MB of memory, is given 1 MB"
    assert dev.refused(*dev.vm(memory="4096")) == "memory: 4096 MB, a VM has 1 to 4095 MB"
    dev.ok(*dev.vm(memory="4095"))


def test_image_of_another_size(dev):
    limit = (1 << 24) - 1
    dev.write("big.hvt", solo5.image() + bytes(limit - 512 - len(solo5.image()) + 1))
    assert dev.refused(*dev.vm(image="big.hvt")) == \
        f"image: big.hvt has {limit - 511} bytes, a certificate carries at most {limit - 512}"
    dev.write("near.hvt", solo5.image() + bytes(limit - 512 - len(solo5.image())))
    assert re.fullmatch(rf"size: the chain has \d+ bytes, TLS carries {limit}",
                        dev.refused(*dev.vm(image="near.hvt", more=("--issuer", "dev"))))
    dev.write("large.hvt", solo5.image() + bytes(15_000_000))
    dev.ok(*dev.vm(image="large.hvt", more=("--issuer", "dev")))
    dev.ok("show", "hello.bundle", "--image", "out")
    assert (dev / "out").read_bytes() == (dev / "large.hvt").read_bytes()


def test_what_is_later(dev):
    for option in ("compress", "detached"):
        assert dev.refused(*dev.vm(more=(f"--{option}",)), code=2) == \
            f"--{option} is not in this version: images are embedded as they are, up to 16 MB"


# Names, as DESIGN and doc/identity.md have them

BAD_NAMES = [
    ("", "name: '' is empty"), ("a/b", "name: 'a/b' contains '/'"),
    (".x", "name: '.x' starts with '.'"), ("..", "name: '..' starts with '.'"),
    ("x" * 65, f"name: '{'x' * 64}' is longer than 64 bytes"),
    ("a\nb", None), ("a\x1bb", None), ("a\u0085b", None), ("console", None), ("data", None),
    ("statistics", None),
]


@pytest.mark.parametrize("name, why", BAD_NAMES)
def test_names_refused_when_asking(folder, name, why):
    done = folder.call("command", "--permission", "info", "--", name)
    assert done.code == 1 and not folder.files()
    assert done.err.startswith("vmm_ca: name: ")
    if why:
        assert done.err == f"vmm_ca: {why}\n"


def test_a_name_that_begins_like_an_option(folder):
    assert folder.refused("command", "-x", "--permission", "info", code=2) == \
        "there is no option '-x'"
    assert folder.refused("command", "--permission", "info", "--", "-x") == \
        "name: '-x' starts with '-'"


@pytest.mark.parametrize("name", ["tls.nqsb.io", "x" * 64, "grüße", "two words", "A"])
def test_names_taken(dev, name):
    dev.ok("command", name, "--permission", "info", "--issuer", "dev")
    assert dev.verifies(name) and name in dev.db()


def foreign_request(folder, name, arcs, file="foreign.req", extra=()):
    """A request made by another hand."""
    return folder.write(file, mint.request(name, arcs, extra=extra))


@pytest.mark.parametrize("name", ["a/b", "..", "-x", "a\nb", "a\x7fb", "console"])
def test_names_refused_when_signing(dev, name):
    foreign_request(dev, name, mint.command(mint.INFO))
    assert dev.refused(*dev.sign("foreign")).startswith("foreign.req: name: ")


# sign

def test_sign_copies_only_what_is_ours(dev):
    """A request that also asks to be a CA and a server."""
    foreign_request(dev, "x", mint.command(mint.INFO), extra=[
        ("2.5.29.19", bytes.fromhex("30030101ff")),
        ("2.5.29.37", bytes.fromhex("300a06082b06010505070301")),
        ("2.5.29.17", bytes.fromhex("3003820161")),
    ])
    dev.ok(*dev.sign("foreign"))
    text = dev.openssl("x509", "-in", "foreign.pem", "-noout", "-text")
    assert "CA:FALSE" in text and "Server" not in text and "DNS" not in text
    assert "Subject: CN = x\n" in text


def test_sign_wants_the_requests_own_signature(dev):
    dev.ok("command", "admin", "--permission", "all")
    der = mint_der(dev, "admin.req")
    broken = der[:-1] + bytes([der[-1] ^ 1])
    dev.write("broken.der", broken)
    dev.openssl("req", "-inform", "DER", "-in", "broken.der", "-out", "admin.req")
    assert dev.refused(*dev.sign("admin")) == \
        "admin.req: the request's signature is not its own key's"


def mint_der(folder, name):
    folder.openssl("req", "-in", name, "-outform", "DER", "-out", "tmp.der")
    data = (folder / "tmp.der").read_bytes()
    (folder / "tmp.der").unlink()
    return data


@pytest.mark.parametrize("arcs, why", [
    (mint.delegation(vms=3), "vms: asked for 3, dev grants 2"),
    (mint.delegation(memory=2048), "memory: asked for 2048 MB, dev grants 1024 MB"),
    (mint.delegation(cpus=(1, 2)), "cpuids: asked for 1-2, dev grants 0-1"),
    (mint.delegation(block=1), "block: asked for 1 MB, dev grants 0 MB"),
    (mint.delegation(bridges=["lan"]), "bridge lan: asked for, dev grants none"),
    (mint.vm(solo5.image(), memory=2048), "memory: asked for 2048 MB, dev grants 1024 MB"),
    (mint.vm(solo5.image(), cpu=2), "cpuid: asked for 2, dev grants 0-1"),
    (mint.vm(solo5.image(), network=["ext"]), "bridge ext: asked for, dev grants none"),
    (mint.delegation(vms=2**31), "foreign.req: vms: 2147483648 is more than 2147483647"),
    (mint.delegation(version=1), "foreign.req: version: is 1, must be 0"),
    ({**mint.command(0), 5: mint.integer(1)},
     "foreign.req: cpuid: is missing, a VM certificate has it"),
    ({}, "foreign.req: version: is missing, a command certificate has it"),
], ids=lambda value: value if isinstance(value, str) else "arcs")
def test_sign_refuses_more_than_the_issuer_has(dev, arcs, why):
    foreign_request(dev, "x", arcs)
    assert dev.refused(*dev.sign("foreign")) == why


@pytest.mark.parametrize("more, arc, value", [
    (("--vms", "1"), 1, "020101"), (("--memory", "512"), 5, "02020200"),
    (("--cpu", "1"), 4, "3003020101"), (("--block", "5"), 3, "020105"),
    (("--bridge", "ext/10.0.0.3/10.0.0.4/10.0.0.1/24"), 2,
     "301EA11C301A0C0365787404040A00000304040A00000404040A000001020118"),
])
def test_sign_grants_less(dev, more, arc, value):
    dev.ok("delegation", "d", *DELEGATION, "--block", "10", "--bridge",
           "ext/10.0.0.2/10.0.0.5/10.0.0.1/24")
    dev.ok(*dev.sign("d", "ca", more))
    assert dev.extension("d.pem", arc) == value


@pytest.mark.parametrize("more, why", [
    (("--vms", "3"), "vms: 3 is given, the request asks for 2"),
    (("--memory", "1025"), "memory: 1025 MB is given, the request asks for 1024 MB"),
    (("--block", "11"), "block: 11 MB is given, the request asks for 10 MB"),
    (("--cpu", "2"), "cpuids: 2 is given, the request asks for 0-1"),
    (("--bridge", "lan"),
     "--bridge may only narrow: bridge lan: asked for, the request grants ext"),
])
def test_sign_never_grants_more_than_asked(dev, more, why):
    dev.ok("delegation", "d", *DELEGATION, "--block", "10", "--bridge",
           "ext/10.0.0.2/10.0.0.5/10.0.0.1/24")
    assert dev.refused(*dev.sign("d", "ca", more)) == why


def test_sign_lowers_a_vms_memory_only(dev):
    dev.ok(*dev.vm())
    assert dev.refused(*dev.sign("hello", more=("--vms", "1"))) == \
        "--vms: the request is for a VM certificate, which has none to lower"
    dev.ok(*dev.sign("hello", more=("--memory", "16")))
    assert dev.extension("hello.pem", 5) == "020110"


def test_a_vm_needs_a_delegation(dev):
    dev.ok(*dev.vm())
    assert dev.refused(*dev.sign("hello", "ca")) == \
        "issuer: hello is a VM, vmm CA is the root CA; a VM needs a delegation that it is " \
        "accounted to"


def test_a_name_cannot_sit_under_itself(dev):
    assert dev.refused("command", "dev", "--permission", "all", "--key", "dev.key", "--issuer",
                       "dev") == \
        "name: dev cannot sit directly under its own name, its issuer is dev; choose another"
    dev.ok("delegation", "sub", *DELEGATION, "--issuer", "dev")
    other = Folder(dev.program, dev / "other")
    other.ok("command", "dev", "--permission", "all", "--issuer", "../sub")
    assert other.path.joinpath("dev.bundle").read_text().count("BEGIN") == 3


def test_a_delegation_has_a_key_of_its_own(dev):
    assert dev.refused("delegation", "sub", *DELEGATION, "--key", "dev.key", "--issuer", "dev") == \
        "key: sub has the key of a certificate above it; make another"


def test_path_length_is_honoured(dev):
    dev.ok("delegation", "a", *DELEGATION, "--issuer", "ca", "--path-length", "1")
    dev.ok("delegation", "b", *DELEGATION, "--issuer", "a", "--path-length", "0")
    assert dev.refused("delegation", "c", *DELEGATION, "--issuer", "b") == \
        "path length: asked for a delegation, b allows 0 below itself"
    assert dev.refused("delegation", "c", *DELEGATION, "--issuer", "a", "--path-length", "1") == \
        "path length: asked for 1, a leaves 0"
    dev.ok("delegation", "d", *DELEGATION, "--issuer", "a")
    assert dev.refused("delegation", "c", *DELEGATION, "--issuer", "d") == \
        "path length: asked for a delegation, d allows 0 below itself"
    dev.ok("command", "leaf", "--permission", "all", "--issuer", "d")
    assert dev.verifies("leaf")
    dev.ok("command", "other", "--permission", "all")
    assert dev.refused(*dev.sign("other", more=("--path-length", "1"))) == \
        "path length: other is no delegation, it has none"


def test_as_deep_as_a_chain_may_be(dev):
    above = "dev"
    for depth in range(2, 16):
        dev.ok("delegation", f"d{depth}", *DELEGATION, "--issuer", above)
        above = f"d{depth}"
    assert dev.refused("delegation", "d16", *DELEGATION, "--issuer", above) == \
        "chain: would have 17 certificates, at most 16 are read"
    dev.ok(*dev.vm(more=("--issuer", above)))
    assert (dev / "hello.bundle").read_text().count("BEGIN") == 16 and dev.verifies("hello")


def dates(folder, name):
    text = folder.openssl("x509", "-noout", "-dates", "-dateopt", "iso_8601", "-in", f"{name}.pem")
    return [line.partition("=")[2] for line in text.splitlines()]


def test_dates_end_with_the_issuers(dev):
    dev.ok("delegation", "short", *DELEGATION, "--issuer", "ca", "--days", "5")
    dev.ok("command", "admin", "--permission", "all", "--issuer", "short")
    assert dates(dev, "admin")[1] == dates(dev, "short")[1] < dates(dev, "dev")[1]
    assert dates(dev, "admin")[0] >= dates(dev, "short")[0]
    dev.ok("command", "today", "--permission", "all", "--issuer", "short", "--days", "1")
    assert dates(dev, "today")[1] < dates(dev, "short")[1]


def test_an_issuer_that_expired(dev):
    root = mint.load(dev_like(dev), "ca")
    old = mint.certificate("old", root, mint.delegation(), is_ca=True, since=-3 * mint.HOUR,
                           until=-mint.HOUR)
    issuer_files(dev, "old", old)
    assert re.fullmatch(r"dates: old expired \d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+00:00",
                        dev.refused("command", "x", "--permission", "all", "--issuer", "old"))


def dev_like(folder):
    """What mint.load takes."""
    class Ca:
        @staticmethod
        def path(name):
            return folder / name
    return Ca


def issuer_files(folder, name, minted):
    mint.chain(folder.path, name, minted)
    folder.write(f"{name}.pem", mint.pem(minted.certificate))


def test_issuers_that_cannot_be(dev):
    root = mint.load(dev_like(dev), "ca")
    ask = ("command", "x", "--permission", "all", "--issuer")
    issuer_files(dev, "leaf", mint.certificate("leaf", root, mint.command(mint.ALL)))
    assert dev.refused(*ask, "leaf") == "leaf.pem: is no CA's certificate, it cannot sign others"
    top = mint.load(dev_like(dev), "dev")
    issuer_files(dev, "more", mint.certificate("more", top, mint.delegation(memory=2048),
                                               is_ca=True))
    assert dev.refused(*ask, "more") == \
        "more.bundle: certificate 1: memory: asked for 2048 MB, dev grants 1024 MB"
    issuer_files(dev, "bare", mint.certificate("bare", root, {}, is_ca=True))
    assert dev.refused(*ask, "bare") == \
        "bare.bundle: certificate 1: version: is missing, a delegation has it"
    dev.ok("delegation", "other", *DELEGATION, "--issuer", "ca")
    assert dev.refused("command", "x", "--permission", "all", "--key", "other.key", "--issuer",
                       "nobody") == "nobody.pem: No such file or directory"
    done = ("sign", "dev.req", "--ca", "dev.pem", "--key", "other.key", "--db", "dev.db")
    assert dev.refused(*done) == "other.key: is not the key of dev.pem"
    (dev / "other.bundle").write_bytes((dev / "dev.bundle").read_bytes())
    assert dev.refused(*ask, "other") == \
        "other.bundle: does not begin with the certificate in other.pem"


# Serial numbers and the .db

def test_a_name_keeps_its_serial(dev):
    dev.ok(*dev.vm(more=("--issuer", "dev")))
    first = dev.serial("hello")
    assert dev.db() == {"hello": first} and 0 < first < 1 << 64
    dev.ok(*dev.vm(memory="64", more=("--issuer", "dev", "--key", "hello.key")))
    assert dev.serial("hello") == first and dev.db() == {"hello": first}
    assert dev.extension("hello.pem", 5) == "020140"
    dev.ok("command", "admin", "--permission", "all", "--issuer", "dev")
    assert dev.db() == {"hello": first, "admin": dev.serial("admin")}


def test_labels_differ_in_what_people_see(dev):
    for n in range(20):
        dev.ok("command", f"c{n}", "--permission", "info", "--issuer", "dev")
    labels = {hashlib.sha256(octets(serial)).hexdigest()[:6] for serial in dev.db().values()}
    assert len(labels) == 20
    dev.ok("show", "c7.pem")


def test_the_label_of_the_article(dev):
    dev.write("dev.db", f"{0xb7aa77f6ca08ee6a} admin\n".encode())
    out = dev.ok("command", "admin", "--permission", "all", "--issuer", "dev")
    assert "serial       b7aa77f6ca08ee6a, label 82db5681d20e" in out
    assert dev.serial("admin") == 0xb7aa77f6ca08ee6a


def test_a_db_that_is_damaged(dev):
    dev.write("dev.db", b"12 a\nx b\n")
    assert dev.refused("command", "c", "--permission", "all", "--issuer", "dev") == \
        "dev.db: line 2: the serial is no positive decimal number of at most 49 digits"


def test_two_at_once_lose_no_line(dev):
    many = [subprocess.Popen([dev.program, "command", f"c{n}", "--permission", "info", "--issuer",
                              "dev"], cwd=dev.path, stdout=subprocess.DEVNULL) for n in range(24)]
    assert [child.wait(timeout=60) for child in many] == [0] * 24
    assert dev.db() == {f"c{n}": dev.serial(f"c{n}") for n in range(24)}
    assert len(set(dev.db().values())) == 24


# Files

def test_keys_are_never_overwritten(dev):
    key = (dev / "dev.key").read_bytes()
    assert dev.refused("delegation", "dev", *DELEGATION) == \
        "dev.key: exists already and is not overwritten; --key dev.key uses it"
    dev.ok("delegation", "dev", *DELEGATION, "--key", "dev.key")
    assert (dev / "dev.key").read_bytes() == key and mode(dev / "dev.key") == 0o400


def test_modes_follow_the_umask_but_for_keys(dev):
    dev.ok("command", "admin", "--permission", "all", "--issuer", "dev", umask=0o077)
    assert mode(dev / "admin.key") == 0o400
    assert [mode(dev / f"admin.{end}") for end in ("req", "pem", "bundle")] == [0o600] * 3
    dev.ok("command", "other", "--permission", "all", "--issuer", "dev", umask=0)
    assert mode(dev / "other.key") == 0o400 and mode(dev / "other.pem") == 0o666


@pytest.mark.parametrize("kind", [
    ("EC", "ec_paramgen_curve:P-384"), ("ED25519", None), ("RSA", "rsa_keygen_bits:2048"),
])
def test_other_keys(dev, kind):
    option = ("-pkeyopt", kind[1]) if kind[1] else ()
    dev.openssl("genpkey", "-algorithm", kind[0], *option, "-out", "own.key")
    dev.ok("delegation", "own", *DELEGATION, "--key", "own.key", "--issuer", "ca")
    dev.ok("command", "leaf", "--permission", "all", "--issuer", "own")
    assert dev.verifies("leaf")
    dev.ok(*dev.revoke("leaf", "own"))


@pytest.mark.parametrize("kind, why", [
    (("EC", "ec_paramgen_curve:P-521"), "key: curve secp521r1, must be P-256 or P-384"),
    (("RSA", "rsa_keygen_bits:1024"), "key: RSA of 1024 bits, must be 2048 to 4096"),
])
def test_keys_refused(dev, kind, why):
    dev.openssl("genpkey", "-algorithm", kind[0], "-pkeyopt", kind[1], "-out", "own.key")
    assert dev.refused("command", "x", "--permission", "all", "--key", "own.key") == \
        f"own.key: {why}"


def test_a_key_that_is_none(dev):
    assert dev.refused("command", "x", "--permission", "all", "--key", "dev.pem") == \
        "dev.pem: holds no private key in PEM that can be read"
    assert dev.refused("command", "x", "--permission", "all", "--key", "pkcs11:object=x?module-path=/none") == \
        "no PKCS#11 module: /none: cannot open shared object file: No such file or directory"


def test_a_certificate_is_replaced_by_its_like_only(dev):
    """Neither the CA's own, nor another name's, nor another shape's."""
    foreign_request(dev, "x", mint.command(mint.INFO), file="cacert.req")
    assert dev.refused(*dev.sign("cacert", "ca")) == \
        "cacert.pem: is not a command certificate of x signed by vmm CA, and is not replaced by it"
    dev.ok("command", "x", "--permission", "info", "--issuer", "dev")
    foreign_request(dev, "x", mint.delegation(), file="x.req")
    assert "is not a delegation of x signed by dev" in dev.refused(*dev.sign("x"))
    foreign_request(dev, "y", mint.command(mint.INFO), file="x.req")
    assert "is not a command certificate of y signed by dev" in dev.refused(*dev.sign("x"))


def test_output_through_a_link_is_refused(dev):
    (dev / "precious").write_text("precious")
    os.symlink("precious", dev / "admin.pem")
    done = dev.call("command", "admin", "--permission", "all", "--issuer", "dev")
    assert done.code == 1 and (dev / "precious").read_text() == "precious"
    assert not (dev / "admin.key").exists()


@pytest.mark.parametrize("bytes_left", [0, 100, 300, 600])
def test_disk_full_leaves_nothing(dev, bytes_left):
    """RLIMIT_FSIZE stands for a disk without room."""
    def full():
        resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_left, bytes_left))
    why = dev.refused("command", "admin", "--permission", "all", "--issuer", "dev",
                      preexec_fn=full)
    assert why.endswith(": File too large")
    assert [path.name for path in dev.path.iterdir() if "vmm_ca." in path.name] == []


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
def test_output_that_cannot_be_said(dev):
    with open("/dev/full", "w") as full:
        done = subprocess.run([dev.program, "show", "dev.pem"], cwd=dev.path, stdout=full,
                              stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1 and done.stderr == \
        "vmm_ca: standard output: cannot be written\n"


def test_a_directory_that_cannot_be_written(dev):
    # Root writes everywhere: something that is no directory at all stands for it.
    dev.write("file", b"")
    assert dev.refused("init", "--dir", "file").startswith("file/ca.key: ")
    assert dev.refused(*dev.sign("dev", "ca")[:-1], "nowhere/ca.db") == \
        "nowhere/ca.db: No such file or directory"


def not_before(folder, name):
    out = folder.openssl("x509", "-noout", "-startdate", "-in", f"{name}.pem")
    return datetime.datetime.strptime(out.strip(), "notBefore=%b %d %H:%M:%S %Y GMT")


def test_signed_again_it_begins_later(dev):
    """The server goes by the newest, also when several are made within a second."""
    begins = []
    for _ in range(4):
        dev.ok("command", "a", "--permission", "all", "--issuer", "dev",
               *(("--key", "a.key") if begins else ()))
        begins.append(not_before(dev, "a"))
    assert begins == sorted(set(begins)), begins
    assert begins[-1] <= datetime.datetime.utcnow()


# revoke

def crl(folder, name="dev"):
    text = folder.openssl("crl", "-in", f"{name}.crl", "-noout", "-text")
    number = int(re.search(r"CRL Number: \n *(\d+)", text).group(1))
    return number, [int(serial, 16) for serial in re.findall("Serial Number: ([0-9A-F]+)", text)]


def test_revocation(dev):
    for name in ("a", "b"):
        dev.ok("command", name, "--permission", "all", "--issuer", "dev")
    a, b = dev.serial("a"), dev.serial("b")
    dev.ok(*dev.revoke("a"))
    assert crl(dev) == (0, [a]) and dev.db() == {"b": b}
    dev.openssl("crl", "-in", "dev.crl", "-CAfile", "dev.pem", "-noout")
    assert dev.extension("revoke.pem", 42) == "03020001" and dev.verifies("revoke")
    key = (dev / "revoke.key").read_bytes()
    assert mode(dev / "revoke.key") == 0o400
    dev.openssl("crl", "-in", "dev.crl", "-outform", "DER", "-out", "list.der")
    assert dev.extension("revoke.pem", 43) == (dev / "list.der").read_bytes().hex().upper()
    dev.ok(*dev.revoke("b"))
    number, revoked = crl(dev)
    assert (number, sorted(revoked)) == (1, sorted([a, b]))
    assert dev.db() == {} and (dev / "revoke.key").read_bytes() == key
    # The next certificate of that name is another one.
    dev.ok("command", "a", "--permission", "all", "--issuer", "dev", "--key", "a.key")
    assert dev.serial("a") not in (a, b) and dev.db() == {"a": dev.serial("a")}
    assert "2 revoked" in dev.ok("show", "revoke.pem")
    out = dev.ok("show", "dev.crl")
    assert "number 1 of dev" in out
    assert all(f"serial {octets(serial).hex()}, " in out for serial in (a, b))


def test_a_list_goes_on_where_the_last_one_was(dev):
    """Without X.crl, or with an old copy of it: revoke.pem has the last one too."""
    for name in ("a", "b", "c"):
        dev.ok("command", name, "--permission", "all", "--issuer", "dev")
    serials = [dev.serial(name) for name in ("a", "b", "c")]
    dev.ok(*dev.revoke("a"))
    old = (dev / "dev.crl").read_bytes()
    (dev / "dev.crl").unlink()
    dev.ok(*dev.revoke("b"))
    assert crl(dev)[0] == 1 and sorted(crl(dev)[1]) == sorted(serials[:2])
    (dev / "dev.crl").write_bytes(old)
    dev.ok(*dev.revoke("c"))
    assert crl(dev)[0] == 2 and sorted(crl(dev)[1]) == sorted(serials)


def test_a_revocation_s_bundle_says_what_it_takes_back(dev):
    dev.ok("command", "a", "--permission", "all", "--issuer", "dev")
    serial = dev.serial("a")
    dev.ok(*dev.revoke("a"))
    out = dev.ok("show", "revoke.bundle")
    assert "revoke: a revocation certificate signed by dev\n" in out
    assert "number 0 of dev, made " in out and "1 revoked\n" in out
    label = hashlib.sha256(octets(serial)).hexdigest()[:12]
    assert f"serial {octets(serial).hex()}, label {label}, " in out
    assert "problem" not in out


def test_revoking_a_delegation(dev):
    dev.ok("revoke", "dev", "--ca", "cacert.pem", "--key", "ca.key", "--db", "ca.db")
    assert crl(dev, "cacert") == (0, [dev.serial("dev")])
    assert dev.verifies("revoke")


def test_revocations_refused(dev):
    assert dev.refused(*dev.revoke("x")) == "name: 'x' is not in dev.db"
    dev.ok("command", "x", "--permission", "all", "--issuer", "dev")
    dev.ok("command", "revoke", "--permission", "all", "--issuer", "dev")
    assert "revoke.pem: is not a revocation certificate of revoke signed by dev" in \
        dev.refused(*dev.revoke("x"))
    for end in ("key", "pem", "bundle", "req"):
        (dev / f"revoke.{end}").unlink()
    dev.ok("delegation", "other", *DELEGATION, "--issuer", "ca")
    dev.ok("command", "y", "--permission", "all", "--issuer", "other")
    dev.ok(*dev.revoke("y", "other"))
    (dev / "other.crl").rename(dev / "dev.crl")
    assert dev.refused(*dev.revoke("x")) == "dev.crl: is not signed with the key of dev.pem"


# show

def test_show_says_what_is_granted(dev):
    out = dev.ok("show", "dev.bundle")
    for line in ("dev: a delegation signed by vmm CA", "  vms          2", "  memory       1024 MB",
                 "  cpuids       0-1", "  block        0 MB",
                 "  path length  any number of delegations may follow"):
        assert line + "\n" in out
    dev.ok(*dev.vm(more=("--arg", "a b", "--arg", "\x1b[31m'", "--issuer", "dev")))
    out = dev.ok("show", "hello.bundle")
    for line in ("hello: a VM certificate signed by dev", "  permissions  image",
                 "  memory       32 MB", "  cpuid        1",
                 r"  arguments    'a b' '\x1b[31m\x27'",
                 f"  image        {len(solo5.image())} bytes, embedded",
                 "  target       hvt, ABI version 2, x86-64", "dev: a delegation signed by vmm CA"):
        assert line + "\n" in out
    assert "hello: a request for a VM certificate\n" in dev.ok("show", "hello.req")
    assert "vmm CA: a root CA\n" in dev.ok("show", "cacert.pem")
    out = dev.ok("show", "server.pem")
    assert "localhost: a server certificate signed by vmm CA\n" in out and "DNS:localhost" in out


def test_show_finds_what_is_wrong(dev):
    top = mint.load(dev_like(dev), "dev")
    more = mint.certificate("more", top, mint.vm(b"x", memory=2048))
    dev.write("more.bundle", more.above)
    out = dev.ok("show", "more.bundle")
    assert "  problem      memory: asked for 2048 MB, dev grants 1024 MB\n" in out
    assert "no image that runs: not an ELF file" in out
    dev.write("turned.bundle", b"".join(reversed(
        [part + b"-----END CERTIFICATE-----\n" for part in
         more.above.split(b"-----END CERTIFICATE-----\n") if part])))
    assert "problem      is not signed by the next one, more" in dev.ok("show", "turned.bundle")


def test_show_writes_the_image_out(dev):
    dev.ok(*dev.vm(more=("--issuer", "dev")))
    for file in ("hello.pem", "hello.bundle", "hello.req"):
        dev.ok("show", file, "--image", "out.hvt")
        assert (dev / "out.hvt").read_bytes() == solo5.image()
        (dev / "out.hvt").unlink()
    assert dev.refused("show", "dev.pem", "--image", "out") == \
        "--image: there is no image embedded in it"


@pytest.mark.parametrize("file, why", [
    ("dev.key", "dev.key: holds a private key, which is not shown"),
    ("hello.hvt", "hello.hvt: holds neither certificates nor a request nor a revocation list in "
                  "PEM"),
    ("nothing", "nothing: No such file or directory"),
    (".", ".: is no regular file"),
])
def test_show_refuses(dev, file, why):
    assert dev.refused("show", file) == why


def test_show_drives_no_terminal(dev):
    """A name that is no name of ours, in somebody else's certificate."""
    foreign = mint.certificate("a\x1b]0;x\x07", None, mint.command(mint.INFO))
    dev.write("foreign.pem", mint.pem(foreign.certificate))
    out = dev.ok("show", "foreign.pem")
    assert "\x1b" not in out and "\x07" not in out


# The command line

@pytest.mark.parametrize("words, why", [
    (("delegation", "x", "--vms", "1", "--memory", "1"), "--cpu is missing"),
    (("delegation", "x", "--memory", "1", "--cpu", "0"), "--vms is missing"),
    (("delegation", "x", *DELEGATION, "--vms", "3"), "--vms is given twice"),
    (("delegation", "x", "--vms", "2147483648"),
     "--vms wants a number from 0 to 2147483647, not '2147483648'"),
    (("delegation", "x", "--vms", "-1"), "--vms wants a number from 0 to 2147483647, not '-1'"),
    (("delegation", "x", "--vms", "1x"), "--vms wants a number from 0 to 2147483647, not '1x'"),
    (("delegation", "x", "--vms", ""), "--vms wants a number from 0 to 2147483647, not ''"),
    (("delegation", "x", "--vms", "99999999999999999999"),
     "--vms wants a number from 0 to 2147483647, not '99999999999999999999'"),
    (("delegation", "x", "--vms", "01"), "--vms wants a number from 0 to 2147483647, not '01'"),
    (("delegation", "x", "--vms", "1", "--memory", "1", "--cpu", "1024"),
     "--cpu wants a number from 0 to 1023, not '1024'"),
    (("delegation", "x", *DELEGATION, "--bridge", "a/b"),
     "bridge 'a/b': a bridge is NAME or NAME/FIRST/LAST/ROUTER/BITS"),
    (("delegation", "x", *DELEGATION, "--days", "5"),
     "--days belongs to signing: give --issuer too"),
    (("command", "x"), "--permission is missing"),
    (("command", "x", "--permission", "root"),
     "--permission wants all, info, image, block, statistics, console or log, not 'root'"),
    (("command", "x", "y", "--permission", "all"),
     "1 arguments beside the options, not 2; vmm_ca command --help says more"),
    (("vm", "x", "i", "--memory", "32"), "--cpu is missing"),
    (("vm", "x", "i", "--memory", "32", "--cpu", "0", "--cpu", "1"),
     "--cpu is given 2 times, a VM has one"),
    (("vm", "x", "i", "--memory", "32", "--cpu", "0", "--net", ":ext"),
     "--net ':ext': a device has 1 to 67 letters and digits"),
    (("vm", "x", "i", "--memory", "32", "--cpu", "0", "--block", "disk:data"),
     "--block: data is no name for a volume: it is one of the reserved words console, data and statistics"),
    (("vm", "x", "i", "--memory", "32", "--cpu", "0", "--block", "disk:a:b"),
     "--block: a:b is no name for a volume: it contains ',' or ':'"),
    (("vm", "x", "i", "--memory", "32", "--cpu", "0", "--block", "a,b"),
     "--block: a,b is no name for a volume: it contains ',' or ':'"),
    (("sign", "x.req"), "--ca is missing"),
    (("sign", "x", "--ca", "a", "--key", "k", "--db", "d"), "'x' is not called NAME.req"),
    (("show", "x", "--frob"), "there is no option '--frob'"),
    (("show", "x", "--image"), "--image needs a value, OUT"),
    (("show", "x", "--image", "a", "--image=b"), "--image is given twice"),
    (("vm", "x", "i", "--force=1"), "--force takes no value"),
    (("init", "--days", "0"), "--days wants a number from 1 to 36500, not '0'"),
])
def test_usage(folder, words, why):
    done = folder.call(*words)
    assert (done.code, done.out) == (2, "")
    assert done.err == f"vmm_ca {words[0]}: {why}\n"


def test_values_and_arguments_that_look_like_options(dev):
    dev.ok(*dev.vm(more=("--arg", "--verbose", "--arg=-x", "--issuer=dev")))
    assert r"arguments    '--verbose' '-x'" in dev.ok("show", "hello.pem")


def test_help(folder):
    out = folder.ok("help")
    commands = re.findall(r"^  (\w+) ", out, re.MULTILINE)
    assert commands == ["init", "server", "delegation", "command", "vm", "sign", "revoke", "show",
                        "list", "help"]
    assert folder.ok("--help") == out
    for command in commands[:-1]:
        text = folder.ok(command, "--help")
        assert text.startswith(f"usage: vmm_ca {command} ") and text == folder.ok("help", command)
    assert folder.refused(code=2) == "which command? vmm_ca help lists them"
    assert folder.refused("frob", code=2) == \
        "there is no command 'frob'; vmm_ca help lists them"
    assert re.fullmatch(r"vmm_ca \d+\.\d+\.\d+\n", folder.ok("--version"))


def test_the_manual_has_every_option(folder):
    """vmm_ca(1) and --help name the same options."""
    page = (Path(__file__).resolve().parents[2] / "man/vmm_ca.1").read_text()
    documented = set(re.findall(r"^\.It Fl -([a-z-]+)", page, re.MULTILINE))
    shown = set()
    for command in re.findall(r"^  (\w+) ", folder.ok("help"), re.MULTILINE)[:-1]:
        shown |= set(re.findall(r"^  --([a-z-]+)", folder.ok(command, "--help"), re.MULTILINE))
        assert re.search(rf"^\.Ss \S.* {command}$|^\.It Ic {command}", page, re.MULTILINE)
    assert documented == shown
