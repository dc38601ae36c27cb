"""Every route of the gate's own table (`vmm_gate --routes`), with two clients that are not ours, each
with the permission that it wants and without. A route without a row here fails, and so does a row
without a route."""

import json
from typing import Callable, NamedTuple

import pytest

from family import Answer, Chain, Family, run, until

pytestmark = pytest.mark.sanitized

PERMISSIONS = ["info", "image", "block", "statistics", "console", "log", "force-create"]


class Row(NamedTuple):
    """What a route answers: PATH's words are filled in with the VM's name."""

    path: str
    status: int
    check: Callable[[str, Answer], None]


def is_me(name, answer):
    me = answer.json()
    assert me["name"], me


def lists_the_vm(name, answer):
    assert name in [vm["path"] for vm in answer.json()]


def is_the_vm(name, answer):
    [vm] = answer.json()
    assert (vm["path"], vm["state"]) == (name, "running")


def is_started(name, answer):
    assert answer.json()["state"] == "running"


def is_empty(name, answer):
    assert answer.body == ""


def is_console(name, answer):
    lines = [json.loads(line) for line in answer.body.splitlines()]
    assert {"time", "line"} <= set(lines[0])


ROWS = {
    "GET /": Row("/", 200, is_me),
    "GET /vms": Row("/vms", 200, lists_the_vm),
    "GET /vms/PATH": Row("/vms/{name}", 200, is_the_vm),
    "POST /vms": Row("/vms", 201, is_started),
    "DELETE /vms/PATH": Row("/vms/{name}", 204, is_empty),
    "GET /vms/PATH/console": Row("/vms/{name}/console", 200, is_console),
}


def with_curl(family: Family, chain: Chain, method, path):
    return family.curl(chain, path, "-X", method)


def with_httpx(family: Family, chain: Chain, method, path):
    with family.http(chain) as client:
        response = client.request(method, path)
    assert response.http_version == "HTTP/2"
    return Answer(response.status_code, response.text)


CLIENTS = {"curl": with_curl, "httpx": with_httpx}


def table(tree):
    """METHOD PATTERN to the permission, as the gate prints it."""
    done = run([tree.libexec / "vmm_gate", "--routes"])
    assert done.code == 0, done
    rows = [line.split() for line in done.out.splitlines()]
    return {f"{row[0]} {row[1]}": row[2] for row in rows}


def test_every_route_has_its_row(tree):
    assert sorted(table(tree)) == sorted(ROWS)


@pytest.fixture
def dev(ca):
    return ca.delegation(ca.unique("dev"))


def allowed(ca, dev, permission, vm):
    """A chain that may use the route, by this permission alone."""
    if permission == "vm":
        return vm
    one = "info" if permission == "any" else permission
    return ca.command(ca.unique("may"), issuer=dev, permissions=[one])


def not_allowed(ca, dev, permission, vm):
    """A chain that has everything else, None where any chain will do."""
    if permission == "any":
        return None
    others = [other for other in PERMISSIONS if other not in (permission, "force-create")]
    return ca.command(ca.unique("may-not"), issuer=dev, permissions=others)


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("route", ROWS)
def test_route(family, tree, ca, dev, client, route):
    permission, row = table(tree)[route], ROWS[route]
    name = ca.unique("hello")
    vm = ca.vm(name, tree.guest("hello"), issuer=dev, args=["Hello"])
    if permission != "vm":
        family.deploy(vm)
        until(lambda: family.curl(family.admin, f"/vms/{dev}/{name}/console").body, "hello prints")
    method, path = route.split()[0], row.path.format(name=name)

    other = not_allowed(ca, dev, permission, vm)
    if other:
        answer = CLIENTS[client](family, other, method, path)
        assert answer.status == 403, answer
        assert answer.json()["type"] == "urn:vmm:permission"
        assert permission == "vm" or permission in answer.detail

    answer = CLIENTS[client](family, allowed(ca, dev, permission, vm), method, path)
    assert answer.status == row.status, answer
    row.check(name, answer)


def test_no_such_route(family, ca, dev):
    admin = ca.command(ca.unique("admin"), issuer=dev)
    for method, path, status in [("GET", "/nosuch", 404), ("PUT", "/vms", 400), ("GET", "/vms//", 400),
                                 ("GET", "/vms?nosuch=1", 400)]:
        answer = family.curl(admin, path, "-X", method)
        assert answer.status == status, (path, answer)
        assert answer.json()["type"].startswith("urn:vmm:")
