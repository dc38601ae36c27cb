"""Images that are wrong in one way each, made from a right one."""

import struct

EM_AARCH64 = 183
MACHINE = slice(18, 20)  # of the ELF header
ABI1 = 0x31494241
TARGET_VIRTIO = 3

# Of our own guests (guest/image.lds).
PHNUM = 6
PROGRAM_HEADER = 56
PROGRAM_HEADERS = slice(64, 64 + PHNUM * PROGRAM_HEADER)
TEXT, RODATA, DATA, ABI, MANIFEST = 1, 2, 3, 4, 5


def padded(image, size):
    """Still a right image: no segment names the bytes that come after it."""
    return image + b"\0" * (size - len(image))


def truncated(image):
    """Four bytes into the first segment, which begins with a page."""
    return image[:4100]


def replaced(image, where, what):
    return image[:where.start] + what + image[where.stop:]


def for_arm64(image):
    return replaced(image, MACHINE, struct.pack("<H", EM_AARCH64))


def abi_note(image):
    """Offset of Solo5's ABI note: name size, size, type, name padded to 8, target, version."""
    for offset in range(0, len(image) - 28, 4):
        name_size, _, kind = struct.unpack_from("<III", image, offset)
        if (name_size, kind) == (6, ABI1) and image[offset + 12:offset + 18] == b"Solo5\0":
            return offset
    raise ValueError("the image has no ABI note")


def without_note(image):
    kind = abi_note(image) + 8
    return replaced(image, slice(kind, kind + 4), b"none")


def for_target(image, target):
    word = abi_note(image) + 20
    return replaced(image, slice(word, word + 4), struct.pack("<I", target))


def with_field(image, header, offset, value):
    at = PROGRAM_HEADERS.start + header * PROGRAM_HEADER + offset
    return replaced(image, slice(at, at + 8), struct.pack("<Q", value))


def with_manifest(image, manifest):
    """The image with another manifest, in a note behind its end."""
    note = struct.pack("<III8s", 6, len(manifest), 0x3154464D, b"Solo5") + manifest
    image = padded(image, (len(image) + 7) & ~7)
    offset = len(image)
    return with_field(with_field(image, MANIFEST, 8, offset), MANIFEST, 32, len(note)) + note


def with_devices(image, *devices):
    """(name, type) of each, behind the reserved entry."""
    entries = [("", 1 << 30), *devices]
    manifest = struct.pack("<4xII", 1, len(entries))
    for name, kind in entries:
        manifest += struct.pack("<68sI32x", name.encode(), kind)
    return with_manifest(image, manifest)
