"""Volumes with the real family: made, accounted, filled, read, lent to VMs and taken back, on each driver."""

import json
import os
import signal
import stat
import subprocess
import threading

import pytest

import devices
import disks
import proc
from door import served, session
from family import until
from volume_world import alice, bob, disk  # fixtures
from volume_world import MB, Tenant, begin_upload, copiers, on_disk, pattern, sitting, volume_dir

pytestmark = pytest.mark.sanitized


# The list


def test_create_list_destroy(family, alice, watch):
    row = alice.made("disk", 3)
    assert (row["path"], row["name"], row["size_mb"]) == ("disk", "disk", 3)
    assert row["allocated"] < MB
    assert alice.rows() == {"disk": row}
    assert alice.create("disk").detail == "there is a volume disk already"
    assert alice.create("disk").json()["type"] == "urn:vmm:exists"
    assert alice.used_mb() == 3
    assert alice.destroy("disk").status == 204
    assert alice.rows() == {}
    assert alice.used_mb() == 0
    assert alice.destroy("disk").status == 404
    log = [line for line in family.log().splitlines() if f"{alice.name} BLOCK_" in line]
    assert [line.partition("BLOCK_")[2] for line in log] == ["CREATE disk 3", "DESTROY disk"]


@pytest.mark.parametrize("name,problem", [
    ("a%2Cb", "contains ',' or ':'"), ("a%3Ab", "contains ',' or ':'"), ("-a", "starts with '-'"),
    ("x" * 65, "is longer than 64 bytes")])
def test_names_that_are_none(alice, name, problem):
    answer = alice.create(name)
    assert (answer.status, answer.json()["type"]) == (400, "urn:vmm:bad-request")
    assert problem in answer.detail


def test_directly_under_the_root(family, alice):
    answer = alice.create("disk", chain=family.admin)
    assert answer.status == 400
    assert answer.detail == "a volume belongs to a delegation: write DELEGATION/disk"


def test_paths(family, ca, alice):
    """A delegation below is named by its name or its label; a VM is no delegation."""
    dan = Tenant(family, ca, "dan", issuer=alice.name)
    assert served(family, dan.admin)
    label = next(row["label"] for row in family.curl(alice.admin, "/").json()["delegations"]
                 if row["path"] == dan.name)
    assert alice.create(f"{label}/one").status == 201
    assert alice.create(f"{dan.name}/two").status == 201
    assert sorted(dan.rows()) == ["one", "two"]
    assert sorted(alice.rows()) == [f"{dan.name}/one", f"{dan.name}/two"]
    assert [row["path"] for row in alice.ask(f"/{dan.name}/two").json()] == [f"{dan.name}/two"]
    assert [row["path"] for row in alice.ask(f"/{label}").json()] == [f"{dan.name}/one", f"{dan.name}/two"]
    web = ca.unique("web")
    family.deploy(ca.vm(web, family.tree.guest("idle", "spt"), issuer=alice.name))
    assert alice.create(f"{web}/disk").status == 404
    assert alice.ask(f"/{web}").status == 404
    # What nothing is left of on the disk is left of in no list.
    for name in ("one", "two"):
        assert dan.destroy(name).status == 204
    assert not any(dan.name in path.read_text() for path in volume_dir(family).rglob("name"))


def test_permission(family, ca, alice):
    alice.made("disk")
    chain = ca.command(ca.unique("informed"), issuer=alice.name, permissions=("info",))
    for answer in (alice.ask("", chain=chain), alice.create("more", chain=chain),
                   alice.destroy("disk", chain=chain), alice.upload("disk", b"x", chain=chain)):
        assert (answer.status, answer.detail) == (403, "the certificate lacks the permission block")


# Quota


def test_quota_names_the_ancestor(family, ca, alice):
    dan = Tenant(family, ca, "dan", block=48, issuer=alice.name)
    assert dan.create("disk", 49).detail == (
        f"{dan.name} has no room for 49 MB of block storage: it grants 48 MB")
    alice.made("own", 32)
    dan.made("disk", 32)
    answer = dan.create("more", 1)
    assert (answer.status, answer.json()["type"]) == (409, "urn:vmm:quota")
    assert answer.detail == f"{alice.name} has no room for 1 MB of block storage: it grants 64 MB"
    assert alice.used_mb() == 64
    assert dan.destroy("disk").status == 204
    dan.made("more", 32)


def test_many_at_once_stay_within_the_quota(family, alice):
    """What is asked for is taken before any of it is there."""
    answers = []
    threads = [threading.Thread(target=lambda n=n: answers.append(alice.create(f"v{n}", 8).status))
               for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [201] * 8 + [409] * 8
    assert alice.used_mb() == 64 and len(alice.rows()) == 8


# Contents


def test_what_is_uploaded_is_dumped(alice):
    alice.made("disk", 2)
    assert alice.dump("disk") == bytes(2 * MB)
    contents = pattern(MB + 4321)
    assert alice.upload("disk", contents).status == 204
    assert alice.dump("disk") == contents + bytes(2 * MB - len(contents))
    # Nothing of the old contents is left.
    assert alice.upload("disk", b"short").status == 204
    assert alice.dump("disk") == b"short" + bytes(2 * MB - 5)
    full = pattern(2 * MB, seed=9)
    assert alice.upload("disk", full).status == 204
    assert alice.dump("disk") == full


def test_sparse_stays_sparse(family, alice):
    alice.made("sparse", 32)
    assert alice.upload("sparse", pattern(4096) + bytes(30 * MB) + pattern(4096, 3)).status == 204
    row = alice.rows()["sparse"]
    assert 8192 <= row["allocated"] < MB
    file = next(volume_dir(family).rglob("sparse.vol"))
    assert file.stat().st_blocks * 512 == row["allocated"]
    assert alice.dump("sparse") == pattern(4096) + bytes(30 * MB) + pattern(4096, 3) + bytes(2 * MB - 8192)


@pytest.mark.parametrize("arguments", [(), ("-H", "content-length:")], ids=["announced", "unannounced"])
def test_too_large(family, alice, arguments):
    alice.made("disk", 1)
    alice.upload("disk", b"before")
    source = family.folder / alice.ca.unique("large")
    source.write_bytes(pattern(MB + 1))
    answer = alice.ask("/disk/data", "--upload-file", source, *arguments)
    assert (answer.status, answer.json()["type"]) == (413, "urn:vmm:too-large")
    until(lambda: alice.upload("disk", b"after").status == 204, "the volume is free again")
    assert alice.dump("disk")[:6] == b"after\0"


def test_an_upload_that_breaks_off(family, alice):
    alice.made("disk", 8)
    alice.upload("disk", b"before")
    connection = session(family, alice.admin)
    stream = connection.request("/volumes/disk/data", "PUT", end=False)
    connection.http.send_data(stream, pattern(8192))
    connection.flush()
    until(lambda: "disk.part" in on_disk(family), "the upload is under way")
    answer = alice.upload("disk", b"other")
    assert (answer.status, answer.json()["type"]) == (409, "urn:vmm:in-use")
    assert answer.detail.startswith("disk is in use by an upload of ")
    assert alice.destroy("disk").status == 409
    connection.close()
    until(lambda: "disk.part" not in on_disk(family), "what was uploaded is dropped")
    until(lambda: alice.destroy("disk").status == 204, "the volume is free again")


def test_a_killed_vmm_volume(family, alice):
    alice.made("disk", 8)
    alice.upload("disk", b"before")
    connection, stream = begin_upload(family, alice)
    for pid in copiers(family):
        os.kill(pid, signal.SIGKILL)
    connection.until(lambda: stream in connection.ended)
    assert connection.status[stream] == 503
    assert json.loads(connection.body[stream])["detail"] == (
        "vmm_volume ended with signal 9; the volume is as it was")
    until(lambda: alice.rows() and on_disk(family).count("disk.part") == 0, "nothing half made is left")
    assert alice.dump("disk")[:7] == b"before\0"
    connection.close()


@pytest.mark.root("looks into processes of other uids")
def test_what_vmm_volume_can_do(family, alice):
    """Its own uid, empty namespaces, and exactly its descriptors."""
    alice.made("disk", 8)
    connection, _ = begin_upload(family, alice)
    pid = copiers(family)[0]
    assert family.uid_base + 16 <= proc.uids(pid)[0]
    assert {proc.namespace(pid, kind) == proc.namespace(family.pid, kind)
            for kind in ("net", "mnt", "ipc", "uts")} == {False}
    status = proc.status(pid)
    assert (int(status["CapEff"], 16), status["Seccomp"], status["NoNewPrivs"]) == (0, "2", "1")
    opened = proc.descriptors(pid)
    assert sorted(opened) == [0, 1, 2, 3, 4, 5]
    assert opened[3].endswith("/disk.part") and opened[4].startswith("socket:")
    connection.close()


# Tenants


@pytest.mark.security("07")
def test_what_is_anothers_is_not_there(family, alice, bob):
    """Byte for byte the answer for what nobody has, whatever is asked."""
    bob.made("secret", 5)
    assert served(family, alice.admin)
    theirs = (f"{bob.name}/secret", "secret", f"{bob.name}", f"../{bob.name}/secret")
    for text in theirs:
        nobodys = "".join(chr(ord(c) + 1) if c in "abcdefgstuo" else c for c in text)
        for arguments in (("-X", "DELETE"), ()):
            answers = [alice.ask(f"/{path}", "--path-as-is", *arguments) for path in (text, nobodys)]
            assert answers[0].status in (400, 404)
            assert answers[0].body.replace(text, "X") == answers[1].body.replace(nobodys, "X")
    for path, other in ((f"{bob.name}/secret", f"{bob.name[::-1]}/secret"), ("secret", "public")):
        answers = [alice.ask(f"/{name}/data") for name in (path, other)]
        assert answers[0].body.replace(path, "X") == answers[1].body.replace(other, "X")
        assert answers[0].status == 404
        answers = [alice.upload(name, b"x") for name in (path, other)]
        assert answers[0].body.replace(path, "X") == answers[1].body.replace(other, "X")
        assert answers[0].status == 404
    assert alice.rows() == {} and alice.used_mb() == 0
    assert alice.create("secret", 64).status == 201, "nor is its name, or its room, taken"
    assert f"{bob.name}/secret" in bob.rows(family.admin)


# VMs


def test_a_vm_writes_and_another_image_reads(family, ca, alice):
    alice.made("disk", 1)
    name = ca.unique("db")
    family.deploy(alice.vm(name, "write", "7", "--sectors=64"))
    row = alice.wait_end(name)
    assert row["volumes"] == [{"device": "storage", "name": "disk"}]
    lines = [entry.get("line", "") for entry in family.console(f"{alice.name}/{name}")]
    assert "written" in lines, lines
    name = ca.unique("reader")
    family.deploy(alice.vm(name, "read", "7", "--sectors=64"))
    alice.wait_end(name)
    lines = [entry.get("line", "") for entry in family.console(f"{alice.name}/{name}")]
    assert "as written" in lines, lines


def ran(family, tenant, *args, **more):
    """The block guest of that command line in a VM of its own, until its end; what it said last."""
    name = family.ca.unique("block")
    family.deploy(tenant.vm(name, *args, **more))
    tenant.wait_end(name)
    return [entry["line"] for entry in family.console(f"{tenant.name}/{name}") if "line" in entry][-1]


def test_what_a_vm_wrote_is_in_dumps_and_snapshots(disk, new_family, ca):
    """As it was when the guest was told that it is written: Solo5's have no call to sync."""
    family = new_family(options=["--volume-dir", disk.path, "--storage", disk.kind])
    alice = Tenant(family, ca, "alice")
    alice.made("disk")
    assert ran(family, alice, "write", "7", "--sectors=640") == "written"
    contents = devices.pattern(7, 640).ljust(MB, b"\0")
    if disk.kind != "dir":
        (label,) = os.listdir(disk.path)
        with disk.snapshot(label) as taken:
            assert ran(family, alice, "write", "8") == "written"
            assert (taken / "disk.vol").read_bytes() == contents
            assert alice.upload("disk", (taken / "disk.vol").read_bytes()).status == 204
    dumped = alice.dump("disk")
    assert dumped == contents
    assert alice.destroy("disk").status == 204
    alice.made("restored")
    assert alice.upload("restored", dumped).status == 204
    assert ran(family, alice, "read", "7", "--sectors=640", volumes=["restored"]) == "as written"


def test_in_use_by_whom(family, ca, alice):
    alice.made("disk")
    holder, other = ca.unique("holder"), ca.unique("other")
    chain = sitting(family, alice, holder, extra=("--force",))
    family.deploy(chain)
    assert alice.rows()["disk"]["vm"] == holder
    in_use = f"disk is in use by {holder}"
    for answer in (alice.destroy("disk"), alice.upload("disk", b"x"), alice.ask("/disk/data")):
        assert (answer.status, answer.json()["type"], answer.detail) == (409, "urn:vmm:in-use", in_use)
    waiting = sitting(family, alice, other)
    answer = family.curl(waiting, "/vms", "-X", "POST")
    assert (answer.status, answer.detail) == (409, f"volume disk is in use by {holder}")
    # Who takes its place takes the volume.
    assert family.curl(chain, "/vms?force", "-X", "POST").status == 201
    assert alice.rows()["disk"]["vm"] == holder
    assert family.curl(alice.admin, f"/vms/{holder}", "-X", "DELETE").status == 204
    assert "vm" not in alice.rows()["disk"]
    family.deploy(waiting)


def test_volumes_that_a_vm_cannot_have(family, ca, alice):
    alice.made("disk")
    start = lambda *volumes: family.curl(sitting(family, alice, ca.unique("vm"), volumes), "/vms", "-X", "POST")
    answer = start("nothing")
    assert (answer.status, answer.detail) == (404, "there is no volume nothing: create-block makes it")
    assert start("disk", "nothing").status == 404
    # Nothing of it was kept.
    assert alice.destroy("disk").status == 204


def test_a_vm_does_not_start_during_an_upload(family, ca, alice):
    alice.made("disk")
    connection, _ = begin_upload(family, alice)
    answer = family.curl(sitting(family, alice, ca.unique("vm")), "/vms", "-X", "POST")
    assert answer.status == 409
    assert answer.detail.startswith("volume disk is in use by an upload of ")
    connection.close()
    until(lambda: not copiers(family) and "disk.part" not in on_disk(family), "the upload is dropped")


# Restarts


def test_volumes_outlive_vmmd(new_family, ca):
    family = new_family()
    alice = Tenant(family, ca, "alice")
    dan = Tenant(family, ca, "dan", issuer=alice.name)
    alice.made("disk", 2)
    dan.made("below", 3)
    contents = pattern(2 * MB)
    assert alice.upload("disk", contents).status == 204
    holder = ca.unique("holder")
    family.deploy(sitting(family, alice, holder))
    before = alice.rows()
    assert sorted(before) == [f"{dan.name}/below", "disk"]
    family.kill()
    family.start()
    until(lambda: served(family, alice.admin), "service is back")
    assert alice.rows() == before and alice.used_mb() == 5
    assert before["disk"]["vm"] == holder
    family.destroy_all()
    # As after a reboot: nothing is known but what the disk has.
    assert family.stop() == 0
    family.start()
    assert sorted(alice.rows(family.admin)) == [
        f"{alice.name}/{dan.name}/below", f"{alice.name}/disk"]
    refused = alice.create(f"{alice.name}/more", chain=family.admin)
    assert (refused.status, refused.json()["type"]) == (409, "urn:vmm:quota"), refused
    assert f"what {alice.name} grants is not known" in refused.detail
    assert alice.dump("disk") == contents
    assert alice.used_mb() == 5
    assert sorted(alice.rows()) == sorted(before)


def test_killed_in_the_middle(new_family, ca):
    """Of an upload and of many creations: what is there is whole, and what counts is what is there."""
    family = new_family()
    alice = Tenant(family, ca, "alice", block=64)
    alice.made("disk", 8)
    alice.upload("disk", b"before")
    connection, _ = begin_upload(family, alice)
    lines = [subprocess.Popen(family.curl_line(alice.admin, f"/volumes/v{n}?size=1", "-X", "PUT"),
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for n in range(8)]
    until(lambda: any(name.startswith("v") for name in on_disk(family)), "some are being made")
    family.kill()
    for line in lines:
        line.wait()
    connection.close()
    until(lambda: not copiers(family), "vmm_volume ends with its vmmd")
    family.start()
    until(lambda: served(family, alice.admin), "service is back")
    rows = alice.rows()
    assert on_disk(family) == sorted(f"{name}.vol" for name in rows)
    assert alice.used_mb() == sum(row["size_mb"] for row in rows.values())
    assert alice.dump("disk")[:7] == b"before\0"
    for name in rows:
        assert alice.destroy(name).status == 204


@pytest.fixture
def small_disk(tmp_path):
    place = tmp_path / "small"
    place.mkdir(mode=0o700)
    disks.command("mount", "-t", "tmpfs", "-o", "size=4m,mode=700", "none", place)
    yield place
    disks.command("umount", place)


@pytest.mark.root("mounts")
def test_a_full_disk(small_disk, new_family, ca):
    family = new_family(options=["--volume-dir", small_disk])
    alice = Tenant(family, ca, "alice")
    alice.made("disk", 16)
    kept = pattern(MB)
    assert alice.upload("disk", kept).status == 204
    answer = alice.upload("disk", pattern(8 * MB))
    assert (answer.status, answer.json()["type"]) == (503, "urn:vmm:unavailable")
    assert answer.detail == "the disk is full; the volume is as it was"
    until(lambda: on_disk(family) == ["disk.vol"], "what was uploaded is gone")
    assert alice.dump("disk")[:MB] == kept
    assert alice.upload("disk", pattern(MB, 5)).status == 204


def test_what_vmmd_does_not_know_it_leaves(new_family, ca, tmp_path):
    """Found at the start: said, not listed, not touched; nor is what a link leads to."""
    family = new_family()
    alice = Tenant(family, ca, "alice")
    alice.made("disk")
    top = next(volume_dir(family).rglob("disk.vol")).parent
    assert family.stop() == 0
    outside = tmp_path / "outside"
    outside.write_bytes(bytes(MB))
    directory = tmp_path / "directory"
    directory.mkdir(mode=0o700)
    (directory / "inner.vol").write_bytes(bytes(MB))
    (top / "link.vol").symlink_to(outside)
    (top / "odd.vol").write_bytes(b"odd")
    os.link(outside, top / "hard.vol")
    os.mkfifo(top / "pipe.vol")
    (top / ("0" * 64)).symlink_to(directory)
    (top / "half.part").write_bytes(b"half")
    (volume_dir(family) / ("f" * 64)).symlink_to(directory)
    (volume_dir(family) / "lost+found").mkdir()
    family.start()
    until(lambda: served(family, alice.admin), "service is back")
    assert list(alice.rows()) == ["disk"]
    said = family.log()
    for name in ("link.vol", "odd.vol", "hard.vol", "pipe.vol", "0" * 64, "f" * 64, "lost+found"):
        assert f"/{name}: " in said, name
    assert "half.part: was half made and is removed" in said
    assert not (top / "half.part").exists()
    # Nor does anything go through them later.
    for name in ("link", "odd", "hard", "pipe"):
        answer = alice.create(name)
        assert answer.status == 503, answer
        assert alice.ask(f"/{name}/data").status == 404
    assert outside.read_bytes() == bytes(MB) and outside.stat().st_nlink == 2
    assert (directory / "inner.vol").read_bytes() == bytes(MB)
    assert stat.S_ISLNK((top / "link.vol").lstat().st_mode)


@pytest.mark.parametrize("where", ["part", "directory"])
def test_planted_while_it_runs(new_family, ca, tmp_path, where):
    """A link where vmmd is about to make a file or a directory leads nowhere."""
    family = new_family()
    alice = Tenant(family, ca, "alice")
    alice.made("first")
    top = next(volume_dir(family).rglob("first.vol")).parent
    outside = tmp_path / "outside"
    if where == "part":
        outside.write_bytes(b"outside")
        (top / "disk.part").symlink_to(outside)
        alice.made("disk")
        assert outside.read_bytes() == b"outside"
        (top / "first.part").symlink_to(outside)
        assert alice.upload("first", b"inside").status == 204
        assert outside.read_bytes() == b"outside"
        return
    outside.mkdir(mode=0o700)
    dan = Tenant(family, ca, "dan", issuer=alice.name)
    assert served(family, dan.admin)
    made = dan.made("one")
    place = next(volume_dir(family).rglob("one.vol")).parent
    assert dan.destroy(made["path"]).status == 204
    place.symlink_to(outside)
    answer = dan.create("two")
    assert (answer.status, list(outside.iterdir())) == (503, [])


def test_two_vmmds_do_not_share(new_family, ca, tmp_path):
    shared = tmp_path / "shared"
    new_family(options=["--volume-dir", shared])
    with pytest.raises(AssertionError, match="is in use by another vmmd"):
        new_family(options=["--volume-dir", shared])


def test_said_at_the_start(new_family, tmp_path):
    family = new_family(options=["--volume-dir", tmp_path / "here", "--storage", "dir"])
    assert f"volumes are in {tmp_path / 'here'} (dir)" in family.log()
