"""doc/vmm.asn1 is what the certificates are: compiled by somebody else's ASN.1 compiler (asn1c), whose
decoder reads what vmm_ca writes, what openssl's configuration files make (tests/golden) and what Python's
cryptography makes, and whose encoder writes the same bytes."""

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from cryptography import x509

import mint
import solo5
from family import run

REPOSITORY = Path(__file__).resolve().parents[2]
MODULE = REPOSITORY / "doc/vmm.asn1"
GOLDEN = REPOSITORY / "tests/golden"


class Decoder:
    """asn1c's own converter program, for the module and what it imports."""

    def __init__(self, folder):
        self.folder = folder
        self.program = folder / "convert"
        self.told(["asn1c", "-fcompound-names", "-fwide-types", "-pdu=all", MODULE,
                   REPOSITORY / "tests/asn1/pkix.asn1"])
        self.told(["cc", "-w", "-O0", "-I.", "-DPDU=Version", "-DASN_PDU_COLLECTION", "-o",
                   self.program, *folder.glob("*.c")])

    def told(self, words):
        done = run(words, cwd=self.folder, timeout=300)
        assert done.code == 0, done.err
        return done.out

    def read(self, name, octets):
        """The value as nested lists of (name, text or list), when writing it again gives OCTETS."""
        file = self.folder / "value.ber"
        file.write_bytes(octets)
        # The program says bytes: past run()'s decoding they would be others.
        xml = self.told([self.program, "-c", "-p", name, file])
        again = self.folder / "again.der"
        self.told(["sh", "-c", '"$0" -oder -p "$1" "$2" >"$3"', self.program, name, file, again])
        assert again.read_bytes() == octets
        return plain(ElementTree.fromstring(xml))

    def refuses(self, name, octets):
        file = self.folder / "value.ber"
        file.write_bytes(octets)
        return run([self.program, "-c", "-onull", "-p", name, file]).code != 0


def plain(node):
    if len(node):
        return [(child.tag, plain(child)) for child in node]
    text = node.text or ""
    # Bits and long octets come in lines of their own.
    return re.sub(r"\s+", " ", text).strip() if text.startswith("\n") else text


@pytest.fixture(scope="module")
def decoder(tmp_path_factory):
    return Decoder(tmp_path_factory.mktemp("asn1"))


@pytest.fixture(scope="module")
def arcs():
    """Number to type, as the module has them."""
    names = re.findall(r"^id-vmm-([a-z-]+) +OBJECT IDENTIFIER ::= \{ id-vmm (\d+) \}", MODULE.read_text(), re.M)
    return {int(number): "".join(word.title() for word in name.split("-")) for name, number in names}


def values(certificate):
    return {int(extension.oid.dotted_string.rpartition(".")[2]): extension.value.value
            for extension in certificate.extensions
            if extension.oid.dotted_string.startswith(mint.ARCS)}


def read(decoder, arcs, certificate):
    """Every extension of ours, by the name of its type."""
    ours = values(certificate)
    types = {**arcs, 5: "VmMemory"} if 9 in ours else arcs
    return {types[arc]: decoder.read(types[arc], octets) for arc, octets in ours.items()}


def load(path):
    return x509.load_pem_x509_certificate(path.read_bytes())


def octets(data):
    return data.hex(" ").upper()


def bits(*numbers):
    return "".join("1" if number in numbers else "0" for number in range(max(numbers) + 1))


def cpuids(*numbers):
    return [("Cpuid", str(number)) for number in numbers]


def texts(*strings):
    return [("UTF8String", string) for string in strings]


def external(name, first, last, router, netmask):
    return ("external", [("name", name), ("first", first), ("last", last), ("router", router),
                         ("netmask", netmask)])


def number(text):
    """An INTEGER: in decimal, or its octets where it is large."""
    return int(text.replace(":", ""), 16) if ":" in text else int(text)


def revoked(crl):
    """The serial numbers in a decoded list."""
    signed = dict(dict(crl)["tbsCertList"])
    return sorted(number(dict(entry)["userCertificate"]) for _, entry in signed["revokedCertificates"])


EXT = external("ext", "0A 00 00 02", "0A 00 00 05", "0A 00 00 01", "24")


def test_every_arc_is_in_the_module(arcs):
    """Neither more nor fewer than doc/certificates.md has."""
    table = (REPOSITORY / "doc/certificates.md").read_text()
    assert sorted(arcs) == [int(arc) for arc in re.findall(r"^\| \.(\d+) \|", table, re.M)]


# What vmm_ca writes

@pytest.fixture(scope="module")
def dev(ca):
    """A delegation with everything that one can have."""
    return ca.delegation("dev", vms=2**31 - 1, memory=2**31 - 1, cpus=(0, 1, 1023), extra=(
        "--block", 128, "--bridge", "lan", "--bridge", "ext/10.0.0.2/10.0.0.5/10.0.0.1/24"))


def test_a_delegation(decoder, arcs, ca, dev):
    assert read(decoder, arcs, load(ca.path("dev.pem"))) == {
        "Version": "0", "Vms": "2147483647", "Memory": "2147483647", "Block": "128",
        "Cpuids": cpuids(0, 1, 1023), "Bridges": [EXT, ("internal", "lan")]}


def test_a_delegation_of_nothing(decoder, arcs, ca):
    ca.delegation("poor", vms=0, memory=0, cpus=(0,))
    assert read(decoder, arcs, load(ca.path("poor.pem"))) == {
        "Version": "0", "Vms": "0", "Memory": "0", "Cpuids": cpuids(0)}


def test_a_vm(decoder, arcs, ca, dev):
    image = solo5.image([("service", solo5.NET), ("other", solo5.NET), ("disk", solo5.BLOCK),
                         ("log", solo5.BLOCK)])
    ca.path("all.hvt").write_bytes(image)
    ca.vm("everything", "all.hvt", issuer="dev", memory=4095, cpu=1023, args=("--hello=<wörld>", "", "a b"),
          extra=("--net", "service:ext", "--net", "other:lan", "--block", "disk:data1", "--block",
                 "log:events", "--force"))
    assert read(decoder, arcs, load(ca.path("everything.pem"))) == {
        "Version": "0", "VmMemory": "4095", "Cpuid": "1023", "Image": [("amd64", octets(image))],
        "Network": texts("service:ext", "other:lan"), "BlockDevice": "disk:data1,log:events",
        "Argv": texts("--hello=<wörld>", "", "a b"), "Permissions": bits(9)}


def test_a_vm_of_little(decoder, arcs, ca, dev):
    image = solo5.image()
    ca.path("little.hvt").write_bytes(image)
    ca.vm("little", "little.hvt", issuer="dev", memory=128)
    assert read(decoder, arcs, load(ca.path("little.pem"))) == {
        "Version": "0", "VmMemory": "128", "Cpuid": "0", "Image": [("amd64", octets(image))],
        "Permissions": bits(2)}


@pytest.mark.parametrize("name, numbers", [
    ("all", (0,)), ("info", (1,)), ("image", (2,)), ("block", (3,)), ("statistics", (4,)),
    ("console", (5,)), ("log", (6,)), ("info console log", (1, 5, 6))])
def test_a_command(decoder, arcs, ca, dev, name, numbers):
    certificate = ca.unique("command")
    ca.command(certificate, issuer="dev", permissions=name.split())
    assert read(decoder, arcs, load(ca.path(f"{certificate}.pem"))) == {
        "Version": "0", "Permissions": bits(*numbers)}


def test_a_revocation(decoder, arcs, ca, dev):
    serials = []
    for name in ("first", "second"):
        ca.command(name, issuer="dev", permissions=("info",))
        serials.append(load(ca.path(f"{name}.pem")).serial_number)
        ca("revoke", name, "--ca", "dev.pem", "--key", "dev.key", "--db", "dev.db")
    found = read(decoder, arcs, load(ca.path("revoke.pem")))
    assert (found["Version"], found["Permissions"]) == ("0", bits(7))
    assert revoked(found["Crl"]) == sorted(serials)


# What others wrote

GOLD = {
    "admin": {"Version": "0", "Permissions": "1"},
    "console": {"Version": "0", "Permissions": bits(1, 5)},
    "delegation": {"Version": "0", "Vms": "2", "Cpuids": cpuids(0, 1), "Memory": "512"},
    "external": {"Version": "0", "Vms": "2147483647", "Bridges": [EXT], "Block": "1024",
                 "Cpuids": cpuids(0, 1, 200, 1023), "Memory": "0"},
    "internal": {"Version": "0", "Vms": "0", "Bridges": [("internal", "lan")],
                 "Cpuids": cpuids(0, 1, 200, 1023), "Memory": "0"},
    "bridges": {"Version": "0", "Vms": "1", "Bridges": [EXT, ("internal", "lan")],
                "Cpuids": cpuids(0, 1, 200, 1023), "Memory": "128"},
    "vm": {"Version": "0", "VmMemory": "128", "Cpuid": "1", "Network": texts("ext"),
           "Image": [("amd64", "7F 45 4C 46")], "Permissions": bits(2)},
    "devices": {"Version": "0", "VmMemory": "4095", "Cpuid": "1023",
                "Network": texts("service:ext", "lan"), "BlockDevice": "data1,log:events",
                "Image": [("arm64", "7F 45 4C 46")], "Argv": texts("--hello=world", "äöü"),
                "Permissions": bits(9)},
    "detached": {"Version": "0", "VmMemory": "32", "Cpuid": "0", "Permissions": bits(2),
                 "Image": [("detached", [("sha256", octets(bytes(range(32)))), ("size", "20000000"),
                                         ("compression", "1"), ("inflated", "40000000")])]},
    "compressed": {"Version": "0", "VmMemory": "32", "Cpuid": "0", "Permissions": bits(2),
                   "Image": [("compressed", [("inflated", "1000"), ("compression", "1"),
                                             ("image", "28 B5 2F FD")])]},
}


def test_all_golden_certificates_are_known():
    """But for the one whose list is a frame without a list in it; the lists' issuer has nothing of ours."""
    ours = {path.stem for path in GOLDEN.glob("*.pem") if values(load(path))}
    assert ours - set(GOLD) == {"revocation"}


@pytest.mark.parametrize("name", GOLD)
def test_golden(decoder, arcs, name):
    assert read(decoder, arcs, load(GOLDEN / f"{name}.pem")) == GOLD[name]


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("list-*.der")), ids=lambda path: path.stem)
def test_golden_lists(decoder, path):
    known = x509.load_der_x509_crl(path.read_bytes())
    assert revoked(decoder.read("Crl", path.read_bytes())) == sorted(entry.serial_number for entry in known)


def test_by_cryptography(decoder, arcs, ca):
    """The bytes of our own tests' other hand."""
    root = mint.load(ca, "ca")
    made = mint.certificate("dan", root, mint.delegation(block=2**31 - 1, bridges=["lan"]), is_ca=True)
    assert read(decoder, arcs, made.certificate) == {
        "Version": "0", "Vms": "2", "Memory": "1024", "Block": "2147483647", "Cpuids": cpuids(0, 1),
        "Bridges": [("internal", "lan")]}
    leaf = mint.certificate("x", made, mint.vm(b"\x7fELF", choice=1, args=("a",), network=["lan"],
                                               permissions=(mint.IMAGE, mint.FORCE_CREATE)))
    assert read(decoder, arcs, leaf.certificate) == {
        "Version": "0", "VmMemory": "32", "Cpuid": "0", "Image": [("arm64", "7F 45 4C 46")],
        "Network": texts("lan"), "Argv": texts("a"), "Permissions": bits(2, 9)}


@pytest.mark.parametrize("name, value", [
    ("Image", mint.explicit(2, mint.octets(b"x"))),
    ("Bridges", mint.sequence(mint.text("lan"))),
    ("Bridges", mint.sequence(mint.explicit(1, mint.text("lan")))),
    ("Cpuids", mint.sequence(mint.text("0"))),
    ("Permissions", mint.integer(1)),
    ("Network", mint.text("lan")),
    ("Crl", mint.sequence(mint.integer(1))),
], ids=str)
def test_the_module_is_no_catch_all(decoder, name, value):
    assert decoder.refuses(name, value)
