"""Tenants with volumes: what they ask for, VMs that hold theirs, and where all of it is on the disk."""

import pytest

import disks
import images
import proc
from door import session
from family import until

MB = 1 << 20
BLOCK_DEVICE = 1  # in a manifest


def pattern(size, seed=1):
    """Bytes of which no 4 KB are zeros."""
    block = bytes((seed + n) % 255 + 1 for n in range(4096))
    return (block * (size // len(block) + 1))[:size]


class Tenant:
    """A delegation with room for volumes, and its admin."""

    def __init__(self, family, ca, stem, block=64, issuer="ca", **more):
        self.family, self.ca = family, ca
        self.name = ca.delegation(ca.unique(stem), issuer=issuer, extra=("--block", block), **more)
        self.admin = ca.command(ca.unique(f"{stem}-admin"), issuer=self.name)
        self.folder = family.folder

    def ask(self, path, *arguments, chain=None):
        return self.family.curl(chain or self.admin, f"/volumes{path}", *arguments)

    def create(self, name, size=1, chain=None):
        return self.ask(f"/{name}?size={size}", "-X", "PUT", chain=chain)

    def made(self, name, size=1):
        answer = self.create(name, size)
        assert answer.status == 201, answer
        return answer.json()

    def destroy(self, name, chain=None):
        return self.ask(f"/{name}", "-X", "DELETE", chain=chain)

    def rows(self, chain=None):
        answer = self.ask("", chain=chain)
        assert answer.status == 200, answer
        return {row["path"]: row for row in answer.json()}

    def upload(self, name, contents, chain=None):
        source = self.folder / self.ca.unique("upload")
        source.write_bytes(contents)
        return self.ask(f"/{name}/data", "--upload-file", source, chain=chain)

    def dump(self, name):
        target = self.folder / self.ca.unique("dump")
        answer = self.ask(f"/{name}/data", "--output", target)
        assert answer.status == 200, target.read_bytes()
        return target.read_bytes()

    def used_mb(self):
        delegations = self.family.curl(self.admin, "/").json()["delegations"]
        return next(row for row in delegations if row["path"] == self.name)["used"]["block_mb"]

    def vm(self, name, *args, volumes=("disk",), guest="block", **more):
        words = [word for volume in volumes for word in ("--block", volume)]
        return self.ca.vm(name, self.family.tree.guest(guest, "spt"), issuer=self.name, memory=8,
                          args=args, extra=[*words, *more.pop("extra", ())], **more)

    def wait_end(self, name):
        """Its last row, when it has ended."""
        def ended():
            rows = self.family.curl(self.admin, f"/vms/{name}").json()
            return rows and rows[0]["state"] == "ended" and rows[0]
        return until(ended, f"{name} ends")


@pytest.fixture(params=disks.KINDS)
def disk(request, tmp_path_factory):
    with disks.KINDS[request.param](tmp_path_factory.mktemp(request.param)) as made:
        yield made


@pytest.fixture
def alice(family, ca):
    return Tenant(family, ca, "alice")


@pytest.fixture
def bob(family, ca):
    return Tenant(family, ca, "bob")


def volume_dir(family):
    options = [str(option) for option in family.options]
    if "--volume-dir" in options:
        return type(family.folder)(options[options.index("--volume-dir") + 1])
    return family.state_dir / "volumes"


def on_disk(family):
    """Every file of the volume directory that is not a name, by its own name."""
    found = [path for path in volume_dir(family).rglob("*") if path.is_file() and path.name != "name"]
    return sorted(path.name for path in found)


def copiers(family):
    return [pid for pid in family.processes() if proc.name(pid) == "vmm_volume"]


def begin_upload(family, tenant, name="disk"):
    connection = session(family, tenant.admin)
    stream = connection.request(f"/volumes/{name}/data", "PUT", end=False)
    connection.http.send_data(stream, pattern(8192))
    connection.flush()
    until(lambda: copiers(family), "vmm_volume runs")
    return connection, stream


def sitting(family, alice, name, volumes=("disk",), **more):
    """A VM that has VOLUMES and does nothing with them."""
    devices = [f"disk{n}" for n in range(len(volumes))]
    image = family.folder / alice.ca.unique("sitting")
    idle = family.tree.guest("idle", "spt").read_bytes()
    image.write_bytes(images.with_devices(idle, *((device, BLOCK_DEVICE) for device in devices)))
    words = [word for device, volume in zip(devices, volumes) for word in ("--block", f"{device}:{volume}")]
    return alice.ca.vm(name, image, issuer=alice.name, memory=8, extra=[*words, *more.pop("extra", ())], **more)
