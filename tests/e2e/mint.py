"""Certificates that vmm_ca would not make, and right ones made by another hand: written from
doc/certificates.md with Python's cryptography, sharing no code with ours."""

import base64
import datetime
import ipaddress
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from family import Chain

ARCS = "1.3.6.1.4.1.49836.42"
HOUR = datetime.timedelta(hours=1)
DAY = datetime.timedelta(days=1)
ALL, INFO, IMAGE, BLOCK, STATISTICS, CONSOLE, LOG, CRL, FORCE_CREATE = 0, 1, 2, 3, 4, 5, 6, 7, 9


# DER

def der(tag, body):
    size = len(body)
    if size < 128:
        return bytes([tag, size]) + body
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + body


def integer(value):
    return der(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def text(value):
    return der(0x0C, value.encode())


def octets(value):
    return der(0x04, value)


def sequence(*items):
    return der(0x30, b"".join(items))


def explicit(number, body):
    return der(0xA0 | number, body)


def bits(*positions):
    last = max(positions)
    value = bytearray(last // 8 + 1)
    for position in positions:
        value[position // 8] |= 0x80 >> position % 8
    return der(0x03, bytes([7 - last % 8]) + bytes(value))


# Our extensions: arc to value

def delegation(*, vms=2, memory=1024, cpus=(0, 1), version=0, block=None, bridges=None):
    arcs = {0: integer(version), 1: integer(vms), 4: sequence(*map(integer, cpus)),
            5: integer(memory)}
    if block is not None:
        arcs[3] = integer(block)
    if bridges is not None:
        arcs[2] = sequence(*(explicit(0, text(bridge)) for bridge in bridges))
    return arcs


def vm(image, *, memory=32, cpu=0, version=0, permissions=(IMAGE,), choice=0, args=(),
       network=None):
    arcs = {0: integer(version), 5: integer(memory), 6: integer(cpu),
            9: explicit(choice, octets(image)), 42: bits(*permissions)}
    if args:
        arcs[10] = sequence(*map(text, args))
    if network is not None:
        arcs[7] = sequence(*map(text, network))
    return arcs


def external(name, first, last, router, bits):
    """A bridge as the extension has it; internal ones are explicit(0, text(name))."""
    addresses = (octets(ipaddress.IPv4Address(address).packed) for address in (first, last, router))
    return explicit(1, sequence(text(name), *addresses, integer(bits)))


def revocation(crl):
    return {0: integer(0), 42: bits(CRL), 43: crl}


def command(*permissions, version=0):
    return {0: integer(version), 42: bits(*permissions)}


# Certificates

class Issuer(NamedTuple):
    """Who signs: its certificate, its key, and the PEM of itself and what is above, no root."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    above: bytes


def new_key():
    return ec.generate_private_key(ec.SECP256R1())


def private(key):
    """A key in PEM."""
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                             serialization.NoEncryption())


def digest(key):
    """What a key signs with; Ed25519 has its own."""
    return None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()


def pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)


def load(ca, name):
    """An issuer that vmm_ca made, from the CA's folder; "ca" is the root."""
    root = name == "ca"
    certificate = ca.path("cacert.pem" if root else f"{name}.pem").read_bytes()
    key = serialization.load_pem_private_key(ca.path(f"{name}.key").read_bytes(), None)
    above = b"" if root else ca.path(f"{name}.bundle").read_bytes()
    return Issuer(x509.load_pem_x509_certificate(certificate), key, above)


def subject(name):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def usages(is_ca):
    return x509.KeyUsage(
        digital_signature=not is_ca, key_cert_sign=is_ca, crl_sign=is_ca, content_commitment=False,
        key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False,
        decipher_only=False)


def date(when):
    return when if isinstance(when, datetime.datetime) else datetime.datetime.utcnow() + when


def certificate(name, issuer, arcs, *, is_ca=False, key=None, since=-HOUR, until=DAY, usage=None,
                serial=None, host=None, path_length=None, more=()):
    """Signs; ISSUER None: by itself. USAGE False: no extended key usage. HOST: a name, or another
    x509.GeneralName. MORE: extensions, each with whether it is critical."""
    key = key or new_key()
    signer = issuer.key if issuer else key
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject(name))
        .issuer_name(issuer.certificate.subject if issuer else subject(name))
        .public_key(key.public_key())
        .serial_number(serial or x509.random_serial_number())
        .not_valid_before(date(since)).not_valid_after(date(until))
        .add_extension(x509.BasicConstraints(is_ca, path_length), critical=True)
        .add_extension(usages(is_ca), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), False))
    if usage is not False:
        usage = usage or ExtendedKeyUsageOID.CLIENT_AUTH
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), False)
    if host:
        host = host if isinstance(host, x509.GeneralName) else x509.DNSName(host)
        builder = builder.add_extension(x509.SubjectAlternativeName([host]), False)
    for extension, critical in more:
        builder = builder.add_extension(extension, critical)
    for arc, value in arcs.items():
        oid = x509.ObjectIdentifier(f"{ARCS}.{arc}")
        builder = builder.add_extension(x509.UnrecognizedExtension(oid, value), critical=False)
    signed = builder.sign(signer, digest(signer))
    return Issuer(signed, key, pem(signed) + (issuer.above if issuer else b""))


def request(name, arcs, key=None, extra=()):
    """A request in PEM for these extensions of ours, and others by their whole OID."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject(name))
    for oid, value in [(f"{ARCS}.{arc}", value) for arc, value in arcs.items()] + list(extra):
        builder = builder.add_extension(
            x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), value), critical=False)
    return pem(builder.sign(key or new_key(), hashes.SHA256()))


def body_of(encoded):
    """What is in a DER element."""
    size = encoded[1]
    return encoded[2 + (size & 0x7F if size & 0x80 else 0):]


def signature_on(issuer, signed):
    """The two elements that follow what is signed in a certificate and in a revocation list."""
    algorithm = sequence(bytes.fromhex("06082a8648ce3d040302"))
    return algorithm + der(0x03, b"\0" + issuer.key.sign(signed, ec.ECDSA(hashes.SHA256())))


def edited(minted, issuer, edit):
    """MINTED with the bytes that are signed as EDIT makes them of what they were, and signed again."""
    signed = sequence(edit(body_of(minted.certificate.tbs_certificate_bytes)))
    encoded = base64.encodebytes(sequence(signed, signature_on(issuer, signed)))
    armour = b"-----BEGIN CERTIFICATE-----\n%s-----END CERTIFICATE-----\n" % encoded
    return Issuer(minted.certificate, minted.key, armour + issuer.above)


# Revocation lists

def crl_number(number):
    return extension("551d14", integer(number))


def extension(oid, value, critical=False):
    flag = der(0x01, b"\xff") if critical else b""
    return sequence(der(0x06, bytes.fromhex(oid)), flag, octets(value))


def utc(when):
    return der(0x17, date(when).strftime("%y%m%d%H%M%SZ").encode())


def crl(issuer, serials, number=0, *, signer=None, name=None, extensions=(), sign=signature_on):
    """A list of ISSUER in DER; NUMBER None: without one. SIGNER, NAME: whose it is instead."""
    revoked = [sequence(integer(serial), utc(-HOUR)) for serial in serials]
    key_id = x509.SubjectKeyIdentifier.from_public_key((signer or issuer).key.public_key()).digest
    listed = [extension("551d23", sequence(der(0x80, key_id)))]
    listed += [crl_number(number)] if number is not None else []
    signed = sequence(
        integer(1), sequence(bytes.fromhex("06082a8648ce3d040302")),
        (name or issuer.certificate.subject).public_bytes(), utc(-HOUR), utc(DAY),
        sequence(*revoked) if revoked else b"", explicit(0, sequence(*listed, *extensions)))
    return sequence(signed, sign(signer or issuer, signed))


def chain(folder, name, minted, bundle=None):
    """Writes what vmm_client takes; BUNDLE instead of the certificates in their right order."""
    paths = Chain(folder / f"{name}.bundle", folder / f"{name}.key")
    paths.bundle.write_bytes(bundle or minted.above)
    paths.key.write_bytes(private(minted.key))
    return paths
