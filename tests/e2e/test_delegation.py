"""Delegation in depth: what is granted is granted to all below together, a newer certificate of a label counts
from then on, for everybody, and older ones have no authority."""

import concurrent.futures
import datetime
import secrets
from typing import NamedTuple

import pytest

import mint
from family import until

pytestmark = pytest.mark.sanitized

CLIENTS = 64
LEVELS = 15  # delegations above a leaf: a chain has 16 certificates
# Of one clock reading: what has the same date has it to the second.
DATES = [datetime.datetime.utcnow() - datetime.timedelta(minutes=minutes) for minutes in (50, 40, 30)]


class Level(NamedTuple):
    """A delegation that can be signed again: its serial is its label, its key is kept."""

    name: str
    serial: int
    key: object

    def signed(self, issuer, since=DATES[0], **grants):
        return mint.certificate(self.name, issuer, mint.delegation(**grants), is_ca=True, key=self.key,
                                serial=self.serial, since=since)


def new_level(name):
    return Level(name, secrets.randbits(64) | 1 << 62, mint.new_key())


class Setting:
    """A top delegation of 2 VMs that nobody has heard of, and a folder for chains."""

    def __init__(self, family, folder):
        self.family, self.folder, self.names = family, folder, 0
        self.root = mint.load(family.ca, "ca")
        self.level = new_level(family.ca.unique("top"))
        self.image = family.tree.guest("idle").read_bytes()

    def top(self, **options):
        return self.level.signed(self.root, **options)

    def chain(self, issuer, arcs, **options):
        self.names += 1
        name = f"leaf{self.names}"
        return mint.chain(self.folder, name, mint.certificate(name, issuer, arcs, **options))

    def vm(self, issuer, memory=32):
        return self.chain(issuer, mint.vm(self.image, memory=memory))

    def session(self, issuer, *permissions, **options):
        return self.chain(issuer, mint.command(*permissions or (mint.ALL,)), **options)

    def failed(self, chain):
        """Why the client's deployment failed."""
        done = self.family.client(chain)
        assert (done.code, done.out) == (1, ""), done
        return done.err.removeprefix("failed ").rstrip("\n")

    def levels(self, chain):
        """GET /: the delegations, by relation and path."""
        answer = self.family.curl(chain, "/")
        assert answer.status == 200, answer
        return {(row["relation"], row["path"]): row for row in answer.json()["delegations"]}

    def running(self):
        return len(self.family.running())


@pytest.fixture
def setting(family, tmp_path):
    return Setting(family, tmp_path)


def test_64_clients_of_2_vms_start_2(setting):
    """Two delegations below the one of two VMs, one of them deeper: all at once, exactly two run."""
    top = setting.top(vms=2, memory=4096)
    carol = new_level("carol").signed(top, vms=2, memory=4096)
    dan = new_level("dan").signed(top, vms=2, memory=4096)
    eve = new_level("eve").signed(dan, vms=2, memory=4096)
    chains = [setting.vm((top, carol, dan, eve)[n % 4]) for n in range(CLIENTS)]
    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        done = list(pool.map(setting.family.client, chains))
    assert sorted(each.code for each in done) == [0] * 2 + [1] * (CLIENTS - 2)
    assert setting.running() == 2
    refused = {each.err for each in done if each.code}
    assert all("has no room for another VM: it grants 2" in line for line in refused), refused


def test_signed_again_smaller(setting):
    """What runs runs on; nothing starts until there is room again, neither here nor below."""
    family = setting.family
    big, small = setting.top(vms=2), setting.top(vms=1, since=DATES[1])
    dan = new_level("dan")
    for chain in (setting.vm(big), setting.vm(dan.signed(big, vms=2))):
        family.deploy(chain)
    admin = setting.session(small)
    own = setting.levels(admin)["own", setting.level.name]
    assert (own["granted"]["vms"], own["used"]["vms"], own["free"]["vms"]) == (1, 2, 0)
    assert setting.running() == 2
    below = dan.signed(small, vms=1, since=DATES[1])
    full = f"{setting.level.name} has no room for another VM: it grants 1"
    assert setting.failed(setting.vm(below)) == full
    for vm in family.running():
        assert family.curl(family.admin, f"/vms/{vm['label']}", "-X", "DELETE").status == 204
    family.deploy(setting.vm(below))
    assert setting.failed(setting.vm(small)) == full


def test_signed_again_larger(setting):
    family = setting.family
    family.deploy(setting.vm(setting.top(vms=1)))
    larger = setting.top(vms=2, since=DATES[1])
    family.deploy(setting.vm(larger))
    assert setting.failed(setting.vm(larger)).endswith("has no room for another VM: it grants 2")


def test_signed_again_with_less_memory_and_other_cpuids(setting):
    """The static part too is held against what every delegation grants now."""
    family = setting.family
    dan = new_level("dan")
    old = dan.signed(setting.top(memory=512, cpus=(0, 1)), memory=512, cpus=(0, 1))
    with family.http(setting.vm(old, memory=256)) as session:
        assert session.get("/").status_code == 200
        small = setting.top(memory=512, cpus=(1,), since=DATES[0])  # of the same date: the last counts
        setting.levels(setting.session(small))
        answer = session.post("/vms")
        assert (answer.status_code, answer.json()["detail"]) == \
            (409, f"cpuid: asked for 0, {setting.level.name} grants 1")
    assert setting.running() == 0


def superseded(answer, name):
    """ANSWER is the refusal of an older certificate of NAME."""
    problem = answer.json()
    return (answer.status_code, problem["type"]) == (403, "urn:vmm:superseded") and \
        problem["detail"].startswith(f"{name}: an older certificate, one of 20") and \
        problem["detail"].endswith(" +00:00 counts")


def test_older_certificates_have_no_authority(setting):
    """Of an open session from the next command on; of a new one from the start: REFUSED, no LOGIN."""
    family, name = setting.family, setting.level.name
    old, new = setting.top(), setting.top(since=DATES[1])
    dan = new_level("dan").signed(old)
    with family.http(setting.session(dan)) as open_session:
        assert open_session.get("/vms").status_code == 200
        assert family.curl(setting.session(new), "/vms").status == 200
        assert superseded(open_session.get("/vms"), name)
        assert superseded(open_session.get("/"), name)
    logins = family.log().count(" LOGIN ")
    with family.http(setting.session(old)) as late:
        assert superseded(late.get("/"), name)
        assert superseded(late.get("/vms"), name)
    until(lambda: family.log().count(" REFUSED ") >= 2, "both are logged")
    assert family.log().count(" LOGIN ") == logins
    assert setting.failed(setting.vm(old)).startswith(f"{name}: an older certificate")


def test_older_leaves_have_no_authority(setting):
    top = setting.top()
    serial = secrets.randbits(64) | 1 << 62
    old, new = (setting.chain(top, mint.command(mint.INFO), serial=serial, since=since)
                for since in DATES[:2])
    assert setting.family.curl(old, "/vms").status == 200
    assert setting.family.curl(new, "/vms").status == 200
    refused = setting.family.curl(old, "/vms")
    assert refused.status == 403 and "an older certificate" in refused.detail
    assert setting.family.curl(new, "/vms").status == 200


def test_what_counts_is_known_after_a_crash(setting):
    family = setting.family
    old, new = setting.top(vms=2), setting.top(vms=1, since=DATES[1])
    dan = new_level("dan").signed(new, vms=1)
    family.deploy(setting.vm(new))
    assert setting.levels(setting.session(dan))
    family.kill()
    family.start()
    refused = family.curl(setting.session(old), "/")
    assert refused.status == 403 and "an older certificate" in refused.detail
    assert ("below", "dan") in setting.levels(setting.session(new))
    assert setting.running() == 1


def test_a_new_top_delegation_is_logged_once(setting):
    top = setting.top(vms=2, memory=1024, cpus=(0, 1))
    for _ in range(2):
        assert setting.levels(setting.session(top))
    lines = [line for line in setting.family.log().splitlines()
             if f" {setting.level.name} DELEGATE" in line]
    assert len(lines) == 1 and "2 VMs, 1024 MB, cpuids 0-1, block 0 MB" in lines[0], lines


def numbers(row):
    return {key: (row[key]["vms"], row[key]["memory_mb"]) for key in ("granted", "used", "free") if key in row}


def test_numbers_by_scope(setting):
    """Granted above; granted, used and free here and below; of siblings nothing."""
    family, name = setting.family, setting.level.name
    top = setting.top(vms=5, memory=1000)
    dan = new_level("dan").signed(top, vms=3, memory=500)
    eve = new_level("eve").signed(dan, vms=2, memory=300)
    carol = new_level("carol").signed(top, vms=2, memory=200)
    for issuer, memory in ((dan, 32), (eve, 64), (carol, 128)):
        family.deploy(setting.vm(issuer, memory))
    mine = {"granted": (3, 500), "used": (2, 96), "free": (1, 404)}
    below = {"granted": (2, 300), "used": (1, 64), "free": (1, 236)}
    rows = setting.levels(setting.session(dan))
    assert {key: numbers(row) for key, row in rows.items()} == {
        ("above", name): {"granted": (5, 1000)}, ("own", f"{name}/dan"): mine, ("below", "eve"): below}
    rows = setting.levels(setting.session(top))
    assert {key: numbers(row) for key, row in rows.items()} == {
        ("own", name): {"granted": (5, 1000), "used": (3, 224), "free": (2, 776)},
        ("below", "dan"): mine, ("below", "dan/eve"): below,
        ("below", "carol"): {"granted": (2, 200), "used": (1, 128), "free": (1, 72)}}
    rows = setting.levels(family.admin)
    host = rows["own", ""]
    assert (host["granted"]["vms"], host["used"]["vms"]) == (None, 3)
    assert numbers(rows["below", f"{name}/dan"]) == mine


def test_a_delegation_without_vms_is_found(setting):
    """An empty list for who may see it; for others it is not there, like anything else."""
    family, name = setting.family, setting.level.name
    top = setting.top()
    dan, carol = (setting.session(new_level(who).signed(top)) for who in ("dan", "carol"))
    assert setting.levels(dan) and setting.levels(carol)
    admin = setting.session(top)
    answer = family.curl(admin, "/vms/dan")
    assert (answer.status, answer.json()) == (200, [])
    assert family.curl(family.admin, f"/vms/{name}/dan").status == 200
    absent = family.curl(carol, "/vms/xan")
    there = family.curl(carol, "/vms/dan")
    assert there.status == absent.status == 404
    assert there.body.replace("dan", "xan") == absent.body


def nested(setting, depth, **options):
    issuer = setting.top(**options)
    for n in range(1, depth):
        issuer = new_level(f"d{n}").signed(issuer)
    return issuer


def test_15_delegations_above_a_leaf(setting):
    family = setting.family
    last = nested(setting, LEVELS)
    family.deploy(setting.vm(last))
    assert len(setting.levels(setting.session(last))) == LEVELS
    [vm] = family.running(setting.session(last))
    assert "/" not in vm["path"]
    path = "/".join([setting.level.name, *(f"d{n}" for n in range(1, LEVELS)), vm["path"]])
    assert [vm["path"] for vm in family.running()] == [path]
    assert family.curl(family.admin, f"/vms/{path}", "-X", "DELETE").status == 204


def test_16_delegations_above_a_leaf(setting):
    """More than 16 certificates are refused in the handshake, before they are parsed."""
    answer = setting.family.curl(setting.session(nested(setting, LEVELS + 1)), "/")
    assert answer.status == 0 and "decode error" in answer.error, answer


@pytest.mark.parametrize("length, below, works", [(0, 0, True), (0, 1, False), (1, 1, True), (1, 2, False)])
def test_path_length(setting, length, below, works):
    """A delegation that may sign none below, or one more level, by vmm_ca; the rest by another hand."""
    ca = setting.family.ca
    name = ca.delegation(ca.unique("top"), extra=("--path-length", length))
    issuer = mint.load(ca, name)
    for n in range(below):
        issuer = new_level(f"d{n}").signed(issuer)
    answer = setting.family.curl(setting.session(issuer), "/")
    assert (answer.status == 200) == works, answer
