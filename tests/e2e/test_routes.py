"""Every route of the gate's own table (`vmm_gate --routes`), with two clients that are not ours: what it
answers, its parameters and streams, with the permission that it wants, without, and with other shapes of
certificate. A route or a parameter without a row here fails, and so does a row without a route."""

import contextlib
import hashlib
import json
import subprocess
from typing import Callable, NamedTuple, Optional

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

import mint
from family import Answer, Chain, Family, until

pytestmark = pytest.mark.sanitized

PERMISSIONS = ["info", "image", "block", "statistics", "console", "log"]
SHAPES = ["command", "vm", "revocation"]


class Table(NamedTuple):
    """A row of the gate's."""

    permission: str
    parameters: list


@pytest.fixture(scope="module")
def table(tree):
    """METHOD PATTERN to what the gate prints of it."""
    lines = subprocess.run([tree.libexec / "vmm_gate", "--routes"], check=True, capture_output=True,
                           encoding="utf-8").stdout.splitlines()
    rows = [line.split("\t") for line in lines]
    return {f"{row[0]} {row[1]}": Table(row[2], row[3].split()) for row in rows}


# Clients


def with_curl(family: Family, chain: Chain, method, path):
    return family.curl(chain, path, "-X", method)


def with_httpx(family: Family, chain: Chain, method, path):
    with family.http(chain) as client:
        response = client.request(method, path)
    assert response.http_version == "HTTP/2"
    return Answer(response.status_code, response.text)


@contextlib.contextmanager
def curl_stream(family: Family, chain: Chain, path):
    with subprocess.Popen(family.curl_line(chain, path, "-N"), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, encoding="utf-8") as curl:
        try:
            yield curl.stdout
        finally:
            curl.kill()


@contextlib.contextmanager
def httpx_stream(family: Family, chain: Chain, path):
    with family.http(chain) as client, client.stream("GET", path) as response:
        assert (response.http_version, response.status_code) == ("HTTP/2", 200)
        yield response.iter_lines()


CLIENTS = {"curl": with_curl, "httpx": with_httpx}
STREAMS = {"curl": curl_stream, "httpx": httpx_stream}


# The tenant whose routes they are


class World(NamedTuple):
    """A delegation, a VM in it, and what a volume is called there."""

    family: Family
    ca: object
    dev: str
    name: str
    vm: Chain
    volume: str

    def command(self, *permissions):
        return self.ca.command(self.ca.unique("may"), issuer=self.dev, permissions=permissions)

    def deploy(self):
        self.family.deploy(self.vm)
        until(lambda: self.family.console(f"{self.dev}/{self.name}"), "it prints")

    def create(self):
        answer = self.family.curl(self.command("block"), f"/volumes/{self.volume}?size=1", "-X", "PUT")
        assert answer.status == 201, answer

    def volumes(self):
        return [volume["path"] for volume in self.family.curl(self.command("block"), "/volumes").json()]

    def prepare(self, row):
        """What ROW is about is there, or is not."""
        if row.volume:
            self.create()
        elif row.volume is None and row.deployed:
            self.deploy()

    def path(self, row):
        return row.path.format(name=self.name if row.volume is None else self.volume)

    def revocation(self):
        """The certificate that takes the VM's back."""
        ca = self.ca
        ca("revoke", self.name, "--ca", f"{self.dev}.pem", "--key", f"{self.dev}.key",
           "--db", f"{self.dev}.db")
        mine = ca.unique("revoke")
        for end in ("bundle", "key", "pem"):
            ca.path(f"revoke.{end}").rename(ca.path(f"{mine}.{end}"))
        return ca.chain(mine)

    def chain(self, permission):
        """One that may use a route, by this permission alone."""
        if permission == "vm":
            return self.vm
        if permission == "revocation":
            return self.revocation()
        return self.command("info" if permission == "any" else permission)


@pytest.fixture
def world(family, ca):
    dev, name = ca.delegation(ca.unique("dev"), extra=["--block", 2]), ca.unique("hello")
    vm = ca.vm(name, family.tree.guest("hello"), issuer=dev, args=["Hello"], extra=["--force"])
    return World(family, ca, dev, name, vm, ca.unique("volume"))


# What they answer


def objects(answer):
    return [json.loads(line) for line in answer.body.splitlines()]


def is_me(world, answer):
    me = answer.json()
    assert (me["kind"], me["permissions"]) == ("command", ["info"])
    [own] = me["delegations"]
    assert (own["name"], own["relation"], own["used"]["vms"]) == (world.dev, "own", 1)


def lists_the_vm(world, answer):
    assert [vm["path"] for vm in answer.json()] == [world.name]


def is_the_vm(world, answer):
    [vm] = answer.json()
    assert (vm["path"], vm["state"], vm["end"], vm["cause"]) == (world.name, "running", None, None)


def is_started(world, answer):
    vm = answer.json()
    assert (vm["path"], vm["state"]) == (world.name, "running")
    assert [vm["pid"] for vm in world.family.running()] == [vm["pid"]]


def is_empty(world, answer):
    assert answer.body == ""
    assert world.family.running() == []


def is_console(_, answer):
    assert {"time", "line"} == set(objects(answer)[0])


def is_one_line(_, answer):
    assert len(objects(answer)) == 1


def is_statistics(world, answer):
    [one] = answer.json()
    assert (one["path"], one["name"]) == (world.name, world.name)
    assert [one["pid"]] == [vm["pid"] for vm in world.family.running()]
    assert one["uptime_seconds"] >= 0 and one["memory"]["resident_bytes"] > 0


def is_metrics(world, answer):
    """Of the tenant's VM, and nobody else's; the family's are not a tenant's to know."""
    families = {family.name: family for family in text_string_to_metric_families(answer.body)}
    assert {line.labels["vm"] for name, family in families.items() if name != "vmm_build"
            for line in family.samples} == {world.name}
    [resident] = families["vmm_vm_memory_resident_bytes"].samples
    assert resident.value > 0


def is_log(world, answer):
    events = [(entry["event"], entry["path"]) for entry in objects(answer)]
    assert ("STARTED", world.name) in events


def has_no_old_entry(world, answer):
    assert "STARTED" not in [entry["event"] for entry in objects(answer)]


def is_revoked(world, answer):
    assert [(end["kind"], end["path"]) for end in answer.json()["ended"]] == [("vm", world.name)]
    assert world.family.running() == []
    again = world.family.curl(world.vm, "/vms", "-X", "POST")
    assert (again.status, again.json()["type"]) == (403, "urn:vmm:revoked")


def lists_the_volume(world, answer):
    [volume] = answer.json()
    assert (volume["path"], volume["size_mb"]) == (world.volume, 1) and "vm" not in volume


def is_volume(world, answer):
    assert (answer.json()["path"], answer.json()["size_mb"]) == (world.volume, 1)
    assert world.volumes() == [world.volume]


def is_no_volume(world, answer):
    assert answer.body == "" and world.volumes() == []


def is_zeros(_, answer):
    assert answer.body == "\0" * 2**20


def is_filled(world, answer):
    assert answer.body == "" and world.volumes() == [world.volume]


def follow_console(world, lines):
    assert json.loads(next(lines))["line"]
    assert world.family.curl(world.family.admin, f"/vms/{world.dev}/{world.name}", "-X",
                             "DELETE").status == 204
    assert [line for line in lines if "ended" in json.loads(line)]


def follow_log(world, lines):
    """What was, then what happens."""
    started = next(entry for entry in map(json.loads, lines) if entry["event"] == "STARTED")
    assert world.family.curl(world.command("image"), f"/vms/{world.name}", "-X",
                             "DELETE").status == 204
    stopped = next(entry for entry in map(json.loads, lines) if entry["event"] == "STOPPED")
    assert (started["path"], stopped["path"]) == (world.name, world.name)
    assert (stopped["pid"], stopped["cause"]) == (started["pid"], "destroyed")
    assert stopped["seq"] > started["seq"]


class Row(NamedTuple):
    """What a route answers: to its path alone, where {name} is the VM's or volume's, with what it cannot be
    without, and with queries."""

    path: str
    status: int
    check: Callable[[World, Answer], None]
    queries: dict = {}
    follow: Optional[Callable] = None  # what comes of "?follow"
    deployed: bool = True  # the VM runs before
    volume: Optional[bool] = None  # or it is about a volume, which there is before or not


ROWS = {
    "GET /": Row("/", 200, is_me),
    "GET /vms": Row("/vms", 200, lists_the_vm),
    "GET /vms/PATH": Row("/vms/{name}", 200, is_the_vm),
    "POST /vms": Row("/vms", 201, is_started, {"force": is_started}, deployed=False),
    "DELETE /vms/PATH": Row("/vms/{name}", 204, is_empty),
    "GET /vms/PATH/console": Row("/vms/{name}/console", 200, is_console,
                                 {"since=-600s": is_console, "lines=1": is_one_line},
                                 follow=follow_console),
    "GET /vms/statistics": Row("/vms/statistics", 200, is_statistics),
    "GET /vms/PATH/statistics": Row("/vms/{name}/statistics", 200, is_statistics),
    "GET /metrics": Row("/metrics", 200, is_metrics),
    "GET /log": Row("/log", 200, is_log, {"since=-600s": is_log,
                                          "since=2099-01-01T00:00:00Z": has_no_old_entry},
                    follow=follow_log),
    "GET /volumes": Row("/volumes", 200, lists_the_volume, volume=True),
    "GET /volumes/PATH": Row("/volumes/{name}", 200, lists_the_volume, volume=True),
    "PUT /volumes/PATH": Row("/volumes/{name}?size=1", 201, is_volume, volume=False),
    "DELETE /volumes/PATH": Row("/volumes/{name}", 204, is_no_volume, volume=True),
    "GET /volumes/PATH/data": Row("/volumes/{name}/data", 200, is_zeros, volume=True),
    "PUT /volumes/PATH/data": Row("/volumes/{name}/data", 204, is_filled, volume=True),
    "POST /revocations": Row("/revocations", 200, is_revoked),
}


def test_every_route_has_its_row(table):
    assert sorted(table) == sorted(ROWS)


@pytest.mark.parametrize("route", ROWS)
def test_every_parameter_is_used(table, route):
    row = ROWS[route]
    used = {query.partition("=")[0] for query in [*row.queries, row.path.partition("?")[2]] if query}
    used |= {"follow"} if ROWS[route].follow else set()
    assert used == set(table[route].parameters)


ASKED = [(route, query) for route, row in ROWS.items() for query in ["", *row.queries]]


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("route, query", ASKED, ids=[f"{route}?{query}" for route, query in ASKED])
def test_route(world, table, client, route, query):
    row = ROWS[route]
    world.prepare(row._replace(deployed=row.deployed or query == "force"))
    path = world.path(row) + (f"?{query}" if query else "")
    chain = world.chain(table[route].permission)
    answer = CLIENTS[client](world.family, chain, route.split()[0], path)
    assert answer.status == row.status, answer
    (row.queries[query] if query else row.check)(world, answer)


@pytest.mark.parametrize("client", STREAMS)
@pytest.mark.parametrize("route", [route for route, row in ROWS.items() if row.follow])
def test_stream(world, table, client, route):
    world.deploy()
    path = ROWS[route].path.format(name=world.name) + "?follow"
    with STREAMS[client](world.family, world.chain(table[route].permission), path) as lines:
        ROWS[route].follow(world, lines)


# Who may


def refused(answer):
    assert answer.status == 403, answer
    assert answer.json()["type"] == "urn:vmm:permission"
    return answer.detail


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("route", ROWS)
def test_permission(world, table, client, route):
    """A command certificate with all of them but the route's own; then one that has "all" alone."""
    permission, row, ask = table[route].permission, ROWS[route], CLIENTS[client]
    if permission not in PERMISSIONS:
        assert permission in ["any", *SHAPES], "test_shapes has it"
        return
    world.prepare(row)
    method, path = route.split()[0], world.path(row)
    others = world.command(*(other for other in PERMISSIONS if other != permission))
    assert refused(ask(world.family, others, method, path)) == \
        f"the certificate lacks the permission {permission}"
    answer = ask(world.family, world.command("all"), method, path)
    assert answer.status == row.status, answer
    row.check(world, answer)


def test_forcing_is_a_permission(world, ca):
    vm = ca.vm(ca.unique("plain"), world.family.tree.guest("hello"), issuer=world.dev, args=["Hello"])
    assert "force-create" in refused(world.family.curl(vm, "/vms?force", "-X", "POST"))
    assert world.family.running() == []


@pytest.mark.parametrize("route", ROWS)
def test_shapes(world, table, route):
    """What each shape of certificate may not do, whatever its permissions."""
    takes = table[route].permission
    world.deploy()
    chains = {"command": world.command("all"), "vm": world.vm, "revocation": world.revocation()}
    path = world.path(ROWS[route])
    right = {"any": SHAPES}.get(takes, [takes if takes in SHAPES else "command"])
    for shape in SHAPES:
        if shape not in right:
            word = "VM" if shape == "vm" else shape
            assert refused(world.family.curl(chains[shape], path, "-X", route.split()[0])) == \
                f"a {word} certificate cannot do that"
        elif takes == "any":
            assert world.family.curl(chains[shape], path).json()["kind"] == shape


# What is not there


def test_no_such_route(family, ca, world):
    admin = world.command("all")
    for method, path, status in [("GET", "/nosuch", 404), ("PUT", "/vms", 400), ("GET", "/vms//", 400),
                                 ("GET", "/vms?nosuch=1", 400)]:
        answer = family.curl(admin, path, "-X", method)
        assert answer.status == status, (path, answer)
        assert answer.json()["type"].startswith("urn:vmm:")


def label(ca, name):
    serial = mint.load(ca, name).certificate.serial_number
    return hashlib.sha256(serial.to_bytes((serial.bit_length() + 7) // 8, "big")).hexdigest()


def whole(answer):
    """All of an answer but when it was made."""
    return [line for line in answer.body.splitlines() if not line.lower().startswith("date:")]


def test_what_is_not_mine_is_not_there(family, ca, world, table):
    """Byte for byte, headers too, what was said before there was such a thing."""
    admin, other = world.command("all"), ca.delegation(ca.unique("other"), extra=["--block", 1])
    name = ca.unique("theirs")
    vm = ca.vm(name, family.tree.guest("hello"), issuer=other, args=["Hello"])
    digits = [label(ca, one)[:8] for one in (other, name)]
    paths = [name, other, f"{other}/{name}", digits[1], ".".join(digits), "/".join(digits)]
    asked = [(route.split()[0], ROWS[route].path.format(name=path))
             for route in table if "PATH" in route for path in paths
             if route != "PUT /volumes/PATH" or "/" in path]  # by its name alone, one of mine is made
    lists = [("GET", path) for path in ("/", "/vms", "/vms/statistics", "/metrics", "/volumes")]

    def ask():
        return {one: whole(family.curl(admin, one[1], "-i", "-X", one[0])) for one in asked + lists}

    before = ask()
    family.deploy(vm)
    made = family.curl(family.admin, f"/volumes/{other}/{name}?size=1", "-X", "PUT")
    assert made.status == 201, made
    assert ask() == before
    assert {lines[0].split()[1] for one, lines in before.items() if one not in lists} == {"404"}
    log = family.curl(admin, "/log")
    assert log.status == 200 and name not in log.body and other not in log.body
    assert [one["path"] for one in family.running()] == [f"{other}/{name}"]
