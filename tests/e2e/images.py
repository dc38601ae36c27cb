"""Images that are wrong in one way each, made from a right one."""

import struct

EM_AARCH64 = 183
MACHINE = slice(18, 20)  # of the ELF header
ABI1 = 0x31494241
TARGET_VIRTIO = 3


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
