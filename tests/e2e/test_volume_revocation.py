"""Volumes of delegations that are taken back: removed on each driver, when nobody has them any more, and at
last when they can be."""

import json
import subprocess

import pytest

import disks
import proc
from door import served
from family import until
from volume_world import alice, disk  # fixtures
from volume_world import MB, Tenant, begin_upload, copiers, on_disk, pattern, sitting, volume_dir

pytestmark = pytest.mark.sanitized


def ended(family, revocation):
    return [path for kind, path in family.push(revocation) if kind == "volume"]


@pytest.mark.security("08")
def test_a_revoked_delegation(disk, new_family, ca):
    """Its volumes go, with those below and what holds them; its siblings' stay."""
    family = new_family(options=["--volume-dir", disk.path, "--storage", disk.kind])
    alice, bob = Tenant(family, ca, "alice", vms=4), Tenant(family, ca, "bob")
    dan, eve = (Tenant(family, ca, stem, issuer=alice.name, vms=1) for stem in ("dan", "eve"))
    for tenant in (alice, dan, eve, bob):
        tenant.made("disk", 4)
        assert tenant.upload("disk", pattern(MB)).status == 204
    family.deploy(sitting(family, dan, ca.unique("holder")))
    assert ended(family, ca.revoke(dan.name, issuer=alice.name)) == [f"{dan.name}/disk"]
    assert sorted(alice.rows()) == ["disk", f"{eve.name}/disk"]
    assert alice.used_mb() == 8
    assert ended(family, ca.revoke(alice.name, issuer="ca")) == [
        f"{alice.name}/disk", f"{alice.name}/{eve.name}/disk"]
    assert list(alice.rows(family.admin)) == [f"{bob.name}/disk"]
    assert len([path for path in disk.path.iterdir() if len(path.name) == 64]) == 1
    assert bob.dump("disk") == pattern(MB) + bytes(3 * MB)
    assert f"{alice.name}/{dan.name} BLOCK_DESTROY disk" in family.log()


@pytest.mark.security("08")
def test_revoked_leaves_leave_volumes(family, ca, alice):
    alice.made("disk")
    vm = ca.unique("holder")
    family.deploy(sitting(family, alice, vm))
    spare = ca.command(ca.unique("spare"), issuer=alice.name)
    for name in (vm, spare.bundle.stem):
        assert ended(family, ca.revoke(name, issuer=alice.name)) == []
    until(lambda: "vm" not in alice.rows()["disk"], "its VM is gone")
    assert list(alice.rows()) == ["disk"]


@pytest.mark.security("08")
def test_a_crash_between_the_list_and_the_removal(new_family, ca):
    """The list is on the disk, volumes are there still: the next start makes good for it."""
    family = new_family()
    alice, bob = Tenant(family, ca, "alice"), Tenant(family, ca, "bob")
    alice.made("disk")
    bob.made("disk")
    kept = volume_dir(family).parent / "kept"
    subprocess.run(["cp", "-a", volume_dir(family), kept], check=True)
    assert ended(family, ca.revoke(alice.name, issuer="ca")) == [f"{alice.name}/disk"]
    family.kill()
    subprocess.run(["rm", "-r", volume_dir(family)], check=True)
    kept.rename(volume_dir(family))
    family.start()
    until(lambda: list(bob.rows(family.admin)) == [f"{bob.name}/disk"], "it is removed now")
    until(lambda: len(list(volume_dir(family).iterdir())) == 1, "and its directory with it")


@pytest.mark.security("08")
def test_an_upload_of_a_revoked_delegation(family, ca, alice):
    alice.made("disk", 8)
    connection, _ = begin_upload(family, alice)
    assert ended(family, ca.revoke(alice.name, issuer="ca")) == [f"{alice.name}/disk"]
    until(lambda: not copiers(family), "its copier is gone")
    assert f"{alice.name}/disk" not in alice.rows(family.admin)
    connection.close()


@pytest.mark.security("08")
def test_an_upload_from_above_into_a_revoked_delegation(family, ca, alice):
    """Whoever uploads is in the scope still, and is told."""
    dan = Tenant(family, ca, "dan", issuer=alice.name)
    dan.made("disk", 8)
    connection, stream = begin_upload(family, alice, f"{dan.name}/disk")
    assert ended(family, ca.revoke(dan.name, issuer=alice.name)) == [f"{dan.name}/disk"]
    connection.until(lambda: stream in connection.ended)
    assert connection.status[stream] == 404
    assert json.loads(connection.body[stream])["detail"] == "the volume's delegation was revoked"
    connection.close()


def pushing(family, revocation):
    """A push whose answer takes its time."""
    return subprocess.Popen(family.curl_line(revocation, "/revocations", "-X", "POST"), stdout=subprocess.PIPE)


@pytest.mark.slow
@pytest.mark.root("traces")
@pytest.mark.security("08")
def test_a_vm_that_does_not_end(family, ca, alice):
    """Its delegation's volumes stay for as long as it does, and are nobody's meanwhile."""
    dan = Tenant(family, ca, "dan", issuer=alice.name)
    held, spare = ca.unique("held"), ca.unique("spare")
    for name in (held, spare):
        dan.made(name)
    before = family.monitors()
    family.deploy(sitting(family, dan, ca.unique("holder"), (held,)))
    (monitor,) = set(family.monitors()) - set(before)
    with proc.endless(monitor):
        with pushing(family, ca.revoke(dan.name, issuer=alice.name)) as push:
            until(lambda: proc.status(monitor).get("State", "").startswith("t"), "it is killed")
            assert alice.destroy(f"{dan.name}/{spare}").status == 404
            assert alice.ask(f"/{dan.name}/{spare}/data").status == 404
            assert alice.upload(f"{dan.name}/{spare}", b"x").status == 404
            answer = json.loads(push.stdout.read())
        assert (answer["status"], answer["detail"]) == (
            503, "a volume is in use still; vmmd removes it when it is not")
        assert {f"{held}.vol", f"{spare}.vol"} <= set(on_disk(family))
        assert alice.used_mb() == 2
    until(lambda: alice.used_mb() == 0, "its volumes are gone with it")
    assert not {f"{held}.vol", f"{spare}.vol"} & set(on_disk(family))


@pytest.mark.slow
@pytest.mark.root("mounts")
@pytest.mark.security("08")
def test_a_removal_that_fails(new_family, ca):
    """It is said, counted still, and tried again, by the next vmmd too."""
    family = new_family()
    alice = Tenant(family, ca, "alice")
    below = [Tenant(family, ca, stem, issuer=alice.name) for stem in ("dan", "eve")]
    points = []
    for tenant in below:
        tenant.made(tenant.name)
        points.append(next(volume_dir(family).rglob(f"{tenant.name}.vol")).parent / "point")
        points[-1].mkdir()
        disks.command("mount", "--bind", family.folder, points[-1])
    try:
        for tenant in below:
            answer = family.curl(ca.revoke(tenant.name, issuer=alice.name), "/revocations", "-X", "POST")
            assert (answer.status, answer.detail) == (
                503, "a volume could not be removed yet; vmmd goes on trying")
            assert f"the volumes of {alice.name}/{tenant.name} cannot be removed: Device or resource busy; " \
                "it is tried again" in family.log()
        assert alice.used_mb() == 2
        disks.command("umount", points.pop())
        until(lambda: alice.used_mb() == 1, "it is tried again")
        family.kill()
    finally:
        for point in points:
            disks.command("umount", point)
    family.start()
    until(lambda: served(family, alice.admin) and alice.used_mb() == 0, "the next vmmd tries")
    assert on_disk(family) == []
