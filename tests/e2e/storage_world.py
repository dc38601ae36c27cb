"""One volume directory on each kind of disk, and vmmd's calls for it."""

import os

import pytest

import disks
from family import run

NAME = "0123456789abcdef" * 4
OTHER = "f" * 64
MB = 1 << 20


@pytest.fixture(scope="module", params=disks.KINDS)
def disk(request, tmp_path_factory):
    with disks.KINDS[request.param](tmp_path_factory.mktemp(request.param)) as made:
        yield made


class Storage:
    """vmmd's calls for one volume directory."""

    def __init__(self, build, path, kind="any"):
        self.words = [build / "tests/pair/storage_driver", path, kind]

    def __call__(self, *call, wrapper=()):
        return run([*wrapper, *self.words, *call])

    def succeed(self, *call):
        done = self(*call)
        assert (done.code, done.err) == (0, "")
        return done.out.strip()

    def fail(self, *call, wrapper=()):
        """Name of the error, and why."""
        done = self(*call, wrapper=wrapper)
        assert done.code == 1, done
        assert done.err.count("\n") == 1
        name, _, why = done.err.strip().partition(" ")
        return name, why


@pytest.fixture
def storage(build, disk):
    calls = Storage(build, disk.path)
    yield calls
    for name in (NAME, OTHER):
        calls.succeed("remove", name)
    assert os.listdir(disk.path) == []


def fill(path, most):
    """Writes to a new file until it cannot, at most MOST MB; how many that were, and the error."""
    with open(path, "wb", buffering=0) as file:
        for done in range(most):
            try:
                file.write(os.urandom(MB))
                os.fsync(file.fileno())
            except OSError as error:
                return done, error.errno
    return most, None


def write(path, text="kept"):
    with path.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
