"""Small Solo5 images made from nothing: one page of code that halts nowhere, an ABI note, a manifest.
For what only reads images; they are not meant to run."""

import struct

ABI1, MFT1 = 0x31494241, 0x3154464D
HVT, SPT, VIRTIO = 1, 2, 3
X86_64, AARCH64 = 62, 183
BLOCK, NET, RESERVED = 1, 2, 1 << 30
BASE, PAGE = 0x100000, 4096


def note(kind, body):
    return struct.pack("<III8s", 6, len(body), kind, b"Solo5") + body


def entry(name, kind):
    return struct.pack("<68sI16xQB7x", name.encode(), kind, 0, 0)


def manifest(devices):
    entries = [entry("", RESERVED)] + [entry(name, kind) for name, kind in devices]
    return bytes(4) + struct.pack("<II", 1, len(entries)) + b"".join(entries)


def image(devices=(), target=HVT, version=2, machine=X86_64, memory=PAGE):
    """DEVICES: (name, NET or BLOCK). MEMORY: what its one segment takes from BASE on."""
    notes = [note(ABI1, struct.pack("<IIII", target, version, 0, 0)), note(MFT1, manifest(devices))]
    headers, offset = [], PAGE
    headers.append(struct.pack("<IIQQQQQQ", 1, 5, offset, BASE, BASE, PAGE, memory, PAGE))
    body = b"\xf4" * PAGE
    for data in notes:
        headers.append(struct.pack("<IIQQQQQQ", 4, 4, offset + len(body), 0, 0, len(data), 0, 8))
        body += data
    ident = b"\x7fELF\x02\x01\x01" + bytes(9)
    start = ident + struct.pack("<HHIQQQIHHHHHH", 2, machine, 1, BASE, 64, 0, 0, 64, 56,
                                len(headers), 0, 0, 0) + b"".join(headers)
    return start + bytes(PAGE - len(start)) + body
