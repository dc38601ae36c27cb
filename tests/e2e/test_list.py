"""vmm_ca list: what an issuer signed, and what is to be renewed. Dates are those of certificates minted here."""

import datetime
import re

import pytest

import mint
from family import run
from test_ca import dev, folder  # noqa: F401: fixtures

pytestmark = pytest.mark.sanitized

DAYS = datetime.timedelta(days=1)
HOURS = datetime.timedelta(hours=1)


def lines(text):
    """What is said of each: its columns, without label."""
    found = []
    for line in text.splitlines():
        name, label, kind, until, state = re.fullmatch(
            r"(\S.*?) +([0-9a-f]{6})  (\S+|root CA) +(\S+ \S+ \+00:00|\?) +(\S.*)", line).groups()
        found.append((name, kind, state))
    return found


def put(where, name, arcs, issuer="dev", **rest):
    """A certificate of ISSUER's, a line of its .db."""
    minted = mint.certificate(name, mint.load(Files(where), issuer), arcs, **rest)
    where.write(f"{name}.pem", mint.pem(minted.certificate))
    with open(where / f"{issuer}.db", "a") as db:
        db.write(f"{minted.certificate.serial_number} {name}\n")
    return minted


class Files:
    """As mint wants a CA."""

    def __init__(self, where):
        self.path = lambda name: where / name


def test_everything_in_its_order(dev):  # noqa: F811
    put(dev, "soon", mint.command(mint.ALL), until=9 * DAYS + HOURS)
    put(dev, "today", mint.vm(b"x"), until=HOURS)
    put(dev, "over", mint.command(mint.INFO), until=-HOURS, since=-DAYS)
    put(dev, "friend", mint.delegation(vms=1, memory=1, cpus=(0,)), is_ca=True, until=200 * DAYS)
    dev.ok(*dev.vm(), "--issuer", "dev", "--days", "100")
    assert lines(dev.ok("list", "dev.db")) == [
        ("over", "command", "expired"), ("today", "VM", "expires within a day"),
        ("soon", "command", "expires in 9 days"), ("hello", "VM", "valid"),
        ("friend", "delegation", "valid"), ("dev", "delegation", "valid")]
    assert [name for name, _, _ in lines(dev.ok("list", "dev.db", "--expiring"))] == ["over", "today", "soon"]
    assert [name for name, _, _ in lines(dev.ok("list", "dev.db", "--expiring", "--days", "5"))] == ["over", "today"]
    assert [name for name, _, _ in lines(dev.ok("list", "--days", "150", "--expiring", "dev.db"))] == \
        ["over", "today", "soon", "hello"]


def test_labels_and_dates_are_the_certificate_s(dev):  # noqa: F811
    [line] = [line for line in dev.ok("list", "ca.db").splitlines() if line.startswith("dev ")]
    shown = dev.ok("show", "dev.pem")
    assert line.split()[1] == re.search(r"label (\w{6})", shown)[1]
    assert re.search(r"valid .* to (.*)", shown)[1] in line


def test_the_root_and_the_server(dev):  # noqa: F811
    found = lines(dev.ok("list", "ca.db"))
    assert sorted(found[:2]) == [("dev", "delegation", "valid"), ("localhost", "server", "valid")]
    assert found[2:] == [("vmm CA", "root CA", "valid")]
    assert dev.ok("list", "ca.db", "--expiring") == ""
    dev.ok("server", "host.example.org", "--days", "3")
    [(name, kind, state)] = lines(dev.ok("list", "ca.db", "--expiring"))
    assert (name, kind) == ("host.example.org", "server") and re.fullmatch("expires in [23] days", state)
    assert [kind for _, kind, _ in lines(dev.ok("list", "ca.db", "--expiring", "--days", "4000"))] == \
        ["server", "delegation", "root CA"]


def test_what_was_taken_back(dev):  # noqa: F811
    for name in ("kept", "gone", "again"):
        dev.ok("command", name, "--permission", "all", "--issuer", "dev")
    dev.ok(*dev.revoke("gone"))
    dev.ok(*dev.revoke("again"))
    dev.ok("command", "again", "--permission", "all", "--issuer", "dev", "--key", "again.key")
    found = lines(dev.ok("list", "dev.db"))
    assert found[-1] == ("?", "?", "revoked"), "the one whose file was replaced"
    assert sorted(found[:-1]) == [
        ("again", "command", "valid"), ("dev", "delegation", "valid"), ("gone", "command", "revoked"),
        ("kept", "command", "valid")]
    assert dev.ok("list", "dev.db", "--expiring") == ""
    (dev / "dev.crl").unlink()
    assert sorted(lines(dev.ok("list", "dev.db"))) == sorted(found), "revoke.pem has the list too"
    assert dev.ok("list", "dev.db", "--expiring", "--days", "36500").count("gone") == 0


def test_certificates_that_are_elsewhere(dev):  # noqa: F811
    """Not beside the .db, or another's under its name: no word on dates. Others' files do no harm."""
    dev.ok("command", "away", "--permission", "all", "--issuer", "dev")
    (dev / "away.pem").unlink()
    dev.ok("command", "other", "--permission", "all", "--issuer", "dev")
    dev.ok("command", "owned", "--permission", "all", "--issuer", "ca")
    (dev / "other.pem").write_bytes((dev / "owned.pem").read_bytes())
    dev.write("junk.pem", b"junk")
    (dev / "folder.pem").mkdir()
    found = lines(dev.ok("list", "dev.db"))
    assert found == [("dev", "delegation", "valid"), ("away", "?", "its certificate is not here"),
                     ("other", "?", "its certificate is not here")]
    (dev / "elsewhere.pem").write_bytes((dev / "other.bundle").read_bytes().partition(b"-----END CERTIFICATE-----")[0]
                                        + b"-----END CERTIFICATE-----\n")
    assert ("other", "command", "valid") in lines(dev.ok("list", "dev.db")), "a file may be called anything"


def test_of_a_serial_number_the_newest_counts(dev):  # noqa: F811
    older = put(dev, "twice", mint.command(mint.ALL), until=5 * DAYS, since=-2 * DAYS)
    dev.write("backup.pem", mint.pem(older.certificate))
    newer = mint.certificate("twice", mint.load(Files(dev), "dev"), mint.command(mint.ALL), until=90 * DAYS,
                             serial=older.certificate.serial_number)
    dev.write("twice.pem", mint.pem(newer.certificate))
    assert ("twice", "command", "valid") in lines(dev.ok("list", "dev.db"))


def test_from_another_folder(dev, tmp_path):  # noqa: F811
    dev.ok("command", "näher", "--permission", "all", "--issuer", "dev")
    said = dev.ok("list", "dev.db")
    assert run([dev.program, "list", dev / "dev.db"], cwd=tmp_path).out == said
    assert re.search(r"^näher  [0-9a-f]{6}  command ", said, re.MULTILINE)
    assert re.search(r"^dev    [0-9a-f]{6}  delegation ", said, re.MULTILINE)


@pytest.mark.parametrize("words, code, why", [
    (["dev.pem"], 1, "'dev.pem' is not called NAME.db"),
    (["none.db"], 1, "none.db: No such file or directory"),
    (["lone.db"], 1, "lone.pem: No such file or directory"),
    (["damaged.db"], 1, r"damaged.db: line 1: .*"),
    (["dev.db", "--days", "0"], 2, "--days wants a number from 1 to 36500, not '0'"),
    (["crossed.db"], 1, "crossed.crl: is not signed with the key of crossed.pem"),
])
def test_refused(dev, words, code, why):  # noqa: F811
    dev.write("lone.db", b"")
    dev.write("damaged.db", b"what\n")
    dev.ok("delegation", "crossed", "--vms", "1", "--memory", "1", "--cpu", "0", "--issuer", "ca")
    dev.write("crossed.db", b"")
    dev.ok("revoke", "crossed", "--ca", "cacert.pem", "--key", "ca.key", "--db", "ca.db")
    (dev / "crossed.crl").write_bytes((dev / "cacert.crl").read_bytes())
    assert re.fullmatch(why, dev.refused("list", *words, code=code))
