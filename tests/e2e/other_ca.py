"""Certificate authorities that are not vmm_ca, with its interface (family.Ca): openssl with configuration
files, and Python's cryptography. Written from doc/certificates.md; no program of ours is run."""

import itertools

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

import mint
from family import Chain, run
from mint import ARCS

PERMISSIONS = {"all": 0, "info": 1, "image": 2, "block": 3, "statistics": 4, "console": 5, "log": 6, "crl": 7,
               "force-create": 9}


class OtherCa:
    """A folder with a root, a server, and what they sign. KINDS of keys are taken in turn."""

    def __init__(self, folder, kinds):
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.names = 0
        self.kinds = itertools.cycle(kinds)
        self.make_root()
        self.make_server()

    def path(self, name):
        return self.folder / name

    def certificate(self, name):
        return self.path("cacert.pem" if name == "ca" else f"{name}.pem")

    def chain(self, name):
        return Chain(self.path(f"{name}.bundle"), self.path(f"{name}.key"))

    def unique(self, stem):
        self.names += 1
        return f"{stem}{self.names}"

    def bundle(self, name, issuer):
        above = b"" if issuer == "ca" else self.path(f"{issuer}.bundle").read_bytes()
        self.path(f"{name}.bundle").write_bytes(self.certificate(name).read_bytes() + above)
        return self.chain(name)

    def delegation(self, name, *, issuer="ca", vms=2, memory=1024, cpus=(0, 1)):
        self.sign(name, issuer, self.delegation_arcs(vms, memory, cpus), is_ca=True)
        self.bundle(name, issuer)
        return name

    def command(self, name, *, issuer, permissions=("all",)):
        self.sign(name, issuer, self.leaf_arcs(PERMISSIONS[word] for word in permissions))
        return self.bundle(name, issuer)

    def vm(self, name, image, *, issuer, memory=32, cpu=0, args=()):
        arcs = {**self.leaf_arcs([mint.IMAGE]), **self.vm_arcs(image.read_bytes(), memory, cpu, args)}
        self.sign(name, issuer, arcs)
        return self.bundle(name, issuer)

    def revocation(self, issuer):
        """The issuer's newest list, in a leaf."""
        name = self.unique("revoke")
        self.sign(name, issuer, {**self.leaf_arcs([mint.CRL]), **self.crl_arcs(self.crl(issuer))})
        return self.bundle(name, issuer)


# openssl, as its manual has it

KEY_OPTIONS = {
    "P-256": ("EC", "-pkeyopt", "ec_paramgen_curve:P-256"),
    "P-384": ("EC", "-pkeyopt", "ec_paramgen_curve:P-384"),
    "Ed25519": ("ED25519",), "RSA": ("RSA", "-pkeyopt", "rsa_keygen_bits:2048"),
}

CONFIGURATION = """
[req]
distinguished_name = nothing
[nothing]
[ca]
default_ca = issuer
[issuer]
database = {issuer}.index
new_certs_dir = .
rand_serial = yes
crlnumber = {issuer}.crlnumber
certificate = {certificate}
private_key = {issuer}.key
default_md = default
default_days = 30
default_crl_days = 30
unique_subject = no
email_in_dn = no
policy = names
[names]
commonName = supplied
[cpuids]
{cpuids}
[argv]
{argv}
[extensions]
{extensions}
"""

# What the original's tools of 2017 put in: no key identifier in the root, no extended key usage in a
# delegation.
ROOT = """basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = none"""
DELEGATION = """basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = {issuer_key}"""
LEAF = """basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature,keyEncipherment
extendedKeyUsage = clientAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = {issuer_key}"""
SERVER = """basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature,keyEncipherment
extendedKeyUsage = serverAuth
subjectAltName = DNS:localhost"""


def numbered(values):
    """Lines of a section that is a list."""
    return "\n".join(f"item{number} = {value}" for number, value in enumerate(values))


class OpensslCa(OtherCa):
    def openssl(self, *words):
        done = run(["openssl", *words], cwd=self.folder)
        assert done.code == 0, done.err
        return done.out

    def key(self, name):
        algorithm, *options = KEY_OPTIONS[next(self.kinds)]
        self.openssl("genpkey", "-algorithm", algorithm, *options, "-out", f"{name}.key")

    def configure(self, issuer, extensions="", cpuids="", argv=""):
        self.path("openssl.cnf").write_text(CONFIGURATION.format(
            issuer=issuer, certificate=self.certificate(issuer), extensions=extensions,
            cpuids=cpuids, argv=argv))

    def found(self, issuer):
        """What an issuer of openssl's begins with."""
        self.path(f"{issuer}.index").touch()
        self.path(f"{issuer}.crlnumber").write_text("00\n")

    def make_root(self):
        self.key("ca")
        self.configure("ca", ROOT)
        self.openssl("req", "-x509", "-new", "-config", "openssl.cnf", "-extensions", "extensions", "-key",
                     "ca.key", "-subj", "/CN=another CA", "-days", "30", "-out", "cacert.pem")
        self.found("ca")

    def make_server(self):
        self.issue("server", "ca", SERVER)

    def issue(self, name, issuer, extensions, **sections):
        self.key(name)
        self.configure(issuer, extensions, **sections)
        self.openssl("req", "-new", "-config", "openssl.cnf", "-key", f"{name}.key", "-subj",
                     f"/CN={name}", "-out", f"{name}.req")
        self.openssl("ca", "-batch", "-notext", "-config", "openssl.cnf", "-extensions", "extensions",
                     "-in", f"{name}.req", "-out", f"{name}.pem")

    def sign(self, name, issuer, arcs, is_ca=False):
        sections = {word: arcs.pop(word) for word in ("cpuids", "argv") if word in arcs}
        # The root has nothing that could be pointed to.
        standard = (DELEGATION if is_ca else LEAF).format(issuer_key="none" if issuer == "ca" else "keyid")
        ours = [f"{ARCS}.{arc} = {value}" for arc, value in arcs.items()]
        self.issue(name, issuer, "\n".join([standard, *ours]), **sections)
        if is_ca:
            self.found(name)

    def delegation_arcs(self, vms, memory, cpus):
        return {0: "ASN1:INTEGER:0", 1: f"ASN1:INTEGER:{vms}", 4: "ASN1:SEQUENCE:cpuids",
                5: f"ASN1:INTEGER:{memory}", "cpuids": numbered(f"INTEGER:{cpu}" for cpu in cpus)}

    def leaf_arcs(self, permissions):
        bits = ",".join(map(str, permissions))
        return {0: "ASN1:INTEGER:0", 42: f"ASN1:FORMAT:BITLIST,BITSTRING:{bits}"}

    def vm_arcs(self, image, memory, cpu, args):
        arcs = {5: f"ASN1:INTEGER:{memory}", 6: f"ASN1:INTEGER:{cpu}",
                9: f"ASN1:EXPLICIT:0,FORMAT:HEX,OCTETSTRING:{image.hex()}"}
        if args:
            arcs |= {10: "ASN1:SEQUENCE:argv", "argv": numbered(f"FORMAT:UTF8,UTF8String:{arg}" for arg in args)}
        return arcs

    def crl_arcs(self, der):
        return {43: "DER:" + der.hex(":")}

    def revoke(self, name, issuer):
        self.configure(issuer)
        self.openssl("ca", "-config", "openssl.cnf", "-revoke", f"{name}.pem")

    def crl(self, issuer):
        self.configure(issuer)
        self.openssl("ca", "-config", "openssl.cnf", "-gencrl", "-out", f"{issuer}.crl")
        self.openssl("crl", "-in", f"{issuer}.crl", "-outform", "DER", "-out", f"{issuer}.crl.der")
        return self.path(f"{issuer}.crl.der").read_bytes()


# Python's cryptography

NEW_KEY = {
    "P-256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "P-384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "Ed25519": ed25519.Ed25519PrivateKey.generate,
    "RSA": lambda: rsa.generate_private_key(65537, 2048),
}


class CryptographyCa(OtherCa):
    def make_root(self):
        self.issuers, self.revoked, self.lists = {}, {}, {}
        self.mint("ca", None, {}, is_ca=True, usage=False)

    def make_server(self):
        self.mint("server", "ca", {}, usage=ExtendedKeyUsageOID.SERVER_AUTH, host="localhost")

    def mint(self, name, issuer, arcs, **options):
        minted = mint.certificate(name if issuer else "another CA", self.issuers.get(issuer), arcs,
                                  key=NEW_KEY[next(self.kinds)](), **options)
        self.issuers[name] = minted
        self.certificate(name).write_bytes(mint.pem(minted.certificate))
        self.path(f"{name}.key").write_bytes(mint.private(minted.key))

    def sign(self, name, issuer, arcs, is_ca=False):
        self.mint(name, issuer, arcs, is_ca=is_ca)

    def delegation_arcs(self, vms, memory, cpus):
        return mint.delegation(vms=vms, memory=memory, cpus=cpus)

    def leaf_arcs(self, permissions):
        return mint.command(*permissions)

    def vm_arcs(self, image, memory, cpu, args):
        return mint.vm(image, memory=memory, cpu=cpu, args=args)

    def crl_arcs(self, der):
        return {43: der}

    def revoke(self, name, issuer):
        self.revoked.setdefault(issuer, []).append(self.issuers[name].certificate.serial_number)

    def crl(self, issuer):
        by, now = self.issuers[issuer], mint.date(-mint.HOUR)
        number = self.lists[issuer] = self.lists.get(issuer, -1) + 1
        builder = (
            x509.CertificateRevocationListBuilder().issuer_name(by.certificate.subject)
            .last_update(now).next_update(mint.date(mint.DAY))
            .add_extension(x509.CRLNumber(number), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.key.public_key()), False))
        for serial in self.revoked.get(issuer, []):
            entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now)
            builder = builder.add_revoked_certificate(entry.build())
        return builder.sign(by.key, mint.digest(by.key)).public_bytes(serialization.Encoding.DER)
