"""What the tests of vmm_gate by itself share: certificates, and the gate below a stand-in of vmmd."""

import json

import pytest

from upper import Pki, Upper


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    return Pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture(scope="module")
def client(pki):
    return pki.client()


@pytest.fixture(scope="module")
def sanitized(build):
    """Whether memory is as it is in earnest."""
    options = json.loads((build / "meson-info/intro-buildoptions.json").read_text())
    return next(option["value"] for option in options if option["name"] == "b_sanitize") != "none"


@pytest.fixture
def make_upper(build, pki):
    made = []

    def make(**options):
        made.append(Upper(build, pki, **options))
        return made[-1]

    yield make
    for upper in made:
        if upper.process.poll() is None:
            upper.close()


@pytest.fixture
def upper(make_upper):
    upper = make_upper()
    yield upper
    # Nothing a test does may take a worker's life but the listener's own deadlines.
    assert "died of signal" not in upper.log(), upper.log()
    assert not [event for event in upper.events_so_far() if event.startswith(("bad", "tainted"))]


@pytest.fixture(scope="module")
def shared(build, pki):
    upper = Upper(build, pki)
    yield upper
    assert "died of signal" not in upper.log(), upper.log()
    upper.close()


@pytest.fixture
def http(shared, client):
    session = shared.session(client)
    shared.expect("login .*")
    yield session
    session.close()
