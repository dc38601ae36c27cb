"""A statistics page (src/lib/statpage.h) as tests read it."""

import os
import struct
from typing import NamedTuple

SIZE = 4096


class Page(NamedTuple):
    """What is on it: the monitor's half, vmm_console's."""

    monitor: int
    kvm_exits: int
    block_read: int
    block_written: int
    console: int
    console_start: int
    console_bytes: int
    console_lost: int


def read(page):
    """Of a descriptor or a path."""
    own = os.open(page, os.O_RDONLY) if not isinstance(page, int) else page
    try:
        assert os.fstat(own).st_size == SIZE
        words = struct.unpack("=12Q", os.pread(own, 96, 0))
    finally:
        if own != page:
            os.close(own)
    assert words[4:8] == (0,) * 4
    return Page(*words[:4], *words[8:])


def make():
    """A page of zeros; its descriptor."""
    page = os.memfd_create("page")
    os.truncate(page, SIZE)
    return page
