"""Statistics through vmm_gate alone, as JSON and as OpenMetrics read by Prometheus' own parser, with a vmmd and
vmm_stats that a test plays (tests/pair/gate_statistics.h)."""

import json

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from family import run
from gate_world import client, make_upper, pki, sanitized, upper  # fixtures
from upper import own_kb

pytestmark = pytest.mark.sanitized

LIST, METRICS = "/vms/statistics", "/metrics"
HELLO = ("dev/hello", "000082828282.000182828282")
ODD = ("dev/hé \\\"w\"{}", "000082828282.000282828282")
NEVER = ("dev/hello", "000082828282.000382828282")


@pytest.fixture
def http(upper, client):
    session = upper.session(client)
    upper.expect("login .*")
    yield session
    session.close()


def metrics(text):
    """Family by name, lines of each by their labels."""
    families = list(text_string_to_metric_families(text))
    assert len({family.name for family in families}) == len(families)
    return {family.name: family for family in families}


def value(families, name, **labels):
    """Of the one line that has LABELS, among others."""
    family = families[name]
    [sample] = [line for line in family.samples if labels.items() <= line.labels.items()]
    return sample.value


def by_metric(build):
    lines = run([build / "src/gate/vmm_gate", "--metrics"]).out.splitlines()
    return {line.split("\t")[0]: line.split("\t")[1:] for line in lines}


# JSON


def test_one(upper, http):
    one = http.get(LIST).json()[0]
    upper.expect("statistics  0")
    labels = one.pop("label").split(".")
    assert labels == ["0000" + 30 * "82", "0001" + 30 * "82"]
    rates = one.pop("rates")
    assert one == {
        "path": "dev/hello", "name": "hello", "pid": 4711, "cpuid": 1, "memory_mb": 32, "target": "hvt",
        "started": "2017-07-10T09:43:39.123456Z", "uptime_seconds": 30.0,
        "sampled": "2017-07-10T09:44:09.123456Z", "interval_seconds": 10.0,
        "cpu": {"user_seconds": 2.5, "system_seconds": 0.25},
        "memory": {"resident_bytes": 5 * 2**20, "shared_bytes": 6 * 2**10, "peak_bytes": 7 * 2**20},
        "faults": {"minor": 200, "major": 2}, "switches": {"voluntary": 400, "involuntary": 4},
        "block": {"read_bytes": 8192 + 51200, "written_bytes": 9 * 2**10},
        "network": [{"name": "vmm4711-0", "device": "service", "bridge": "ext",
                     "received_bytes": 13100, "received_packets": 14, "sent_bytes": 15000,
                     "sent_packets": 16, "dropped": 17}],
        "console": {"bytes": 1200, "lost_lines": 12}, "kvm": {"exits": 10300}}
    assert rates == pytest.approx({
        "cpu": 0.1, "minor_faults": 10, "major_faults": 0, "voluntary_switches": 10,
        "involuntary_switches": 0, "block_read_bytes": 5120, "block_written_bytes": 0,
        "received_bytes": 10, "received_packets": 0, "sent_bytes": 0, "sent_packets": 0, "dropped": 0,
        "console_bytes": 10, "kvm_exits": 30})


def test_parts_that_are_not_there(http):
    _, odd, never = http.get(LIST).json()
    assert (odd["name"], odd["target"]) == ("hé \\\"w\"{}", "spt")
    assert {name for name in odd if odd[name] is None} == \
        {"interval_seconds", "block", "network", "kvm", "rates"}
    assert (never["pid"], never["memory_mb"]) == (4711, 32)
    assert {name for name in never if never[name] is None} == {
        "uptime_seconds", "sampled", "interval_seconds", "cpu", "memory", "faults", "switches", "block",
        "network", "console", "kvm", "rates"}


@pytest.mark.parametrize("path, asked", [("/vms/dev/statistics", "dev"),
                                         ("/vms/dev/h%C3%A9%20w/statistics", "dev/hé w")])
def test_of_a_path(upper, http, path, asked):
    assert len(http.get(path).json()) == 3
    upper.expect(f"statistics {asked} 0")


def test_absent(http):
    answer = http.get("/vms/absent/statistics")
    assert (answer.status, answer.json()["type"]) == (404, "urn:vmm:not-found")


@pytest.mark.parametrize("method, path, status", [
    ("GET", "/vms/statistics/statistics", 404), ("GET", "/vms/statistics/console", 404),
    ("GET", "/metrics/dev", 404), ("GET", "/statistics", 404), ("DELETE", "/vms/statistics", 400),
    ("POST", "/vms/a/statistics", 400), ("POST", METRICS, 400), ("GET", METRICS + "?path=a", 400),
    ("GET", LIST + "?since=1", 400)])
def test_refused_requests(http, method, path, status):
    assert http.answer(http.request(path, method)).status == status
    assert http.get(LIST).status == 200


def test_nothing_runs(upper, http):
    upper.tell("samples none")
    assert http.get(LIST).body == "[]\n"


# Metrics


def test_metrics_have_their_type(upper, http):
    stream = http.request(METRICS)
    answer = http.answer(stream)
    assert http.headers[stream][b"content-type"] == \
        b"application/openmetrics-text; version=1.0.0; charset=utf-8"
    upper.expect("statistics  1")
    assert answer.body.endswith("\n# EOF\n")


def test_every_metric(build, http):
    """All of the table, and nothing else, each with its type, labels and help."""
    families = metrics(http.get(METRICS).body)
    lines = {(line.name, family.type, family.documentation, tuple(line.labels))
             for family in families.values() for line in family.samples}
    table = {(name, kind, words, tuple(labels.split()))
             for name, (kind, labels, words) in by_metric(build).items()}
    assert lines == table
    for family in families.values():
        unit = next((unit for unit in ("seconds", "bytes") if family.name.endswith("_" + unit)), "")
        assert family.unit == unit, family.name


def test_values_of_vms(http):
    families = metrics(http.get(METRICS).body)
    vm, label = HELLO
    one = {"vm": vm, "label": label}
    assert value(families, "vmm_vm_cpu_seconds", mode="user", **one) == 2.5
    assert value(families, "vmm_vm_cpu_seconds", mode="system", **one) == 0.25
    assert value(families, "vmm_vm_memory_limit_bytes", **one) == 32 * 2**20
    assert value(families, "vmm_vm_memory_resident_bytes", **one) == 5 * 2**20
    assert value(families, "vmm_vm_memory_shared_bytes", **one) == 6 * 2**10
    assert value(families, "vmm_vm_memory_peak_bytes", **one) == 7 * 2**20
    assert value(families, "vmm_vm_page_faults", kind="minor", **one) == 200
    assert value(families, "vmm_vm_page_faults", kind="major", **one) == 2
    assert value(families, "vmm_vm_context_switches", kind="voluntary", **one) == 400
    assert value(families, "vmm_vm_context_switches", kind="involuntary", **one) == 4
    assert value(families, "vmm_vm_block_read_bytes", **one) == 8192 + 51200
    assert value(families, "vmm_vm_block_written_bytes", **one) == 9 * 2**10
    tap = {"tap": "vmm4711-0", "device": "service", "bridge": "ext", **one}
    assert [value(families, f"vmm_vm_network_{what}", **tap) for what in (
        "received_bytes", "received_packets", "sent_bytes", "sent_packets", "dropped_packets")] == \
        [13100, 14, 15000, 16, 17]
    assert value(families, "vmm_vm_console_bytes", **one) == 1200
    assert value(families, "vmm_vm_console_lost_lines", **one) == 12
    assert value(families, "vmm_vm_kvm_exits", **one) == 10300
    assert value(families, "vmm_vm_uptime_seconds", **one) == 30
    assert value(families, "vmm_vm_start_time_seconds", **one) == 1499679819.123456
    assert value(families, "vmm_vm", target="hvt", cpuid="1", **one) == 1


def test_what_is_unknown_has_no_line(http):
    def of(vm, label):
        return {name for name, family in families.items()
                if any((line.labels.get("vm"), line.labels.get("label")) == (vm, label)
                       for line in family.samples)}

    families = metrics(http.get(METRICS).body)
    known = {"vmm_vm", "vmm_vm_start_time_seconds", "vmm_vm_memory_limit_bytes"}
    assert of(*NEVER) == known
    assert of(*ODD) == known | {
        "vmm_vm_uptime_seconds", "vmm_vm_cpu_seconds", "vmm_vm_memory_resident_bytes",
        "vmm_vm_memory_shared_bytes", "vmm_vm_memory_peak_bytes", "vmm_vm_page_faults",
        "vmm_vm_context_switches", "vmm_vm_console_bytes", "vmm_vm_console_lost_lines"}
    expires = families["vmm_certificate_expires_timestamp_seconds"].samples
    assert [line.labels["certificate"] for line in expires] == ["ca", "server"][:1]


def test_values_of_the_family(http):
    families = metrics(http.get(METRICS).body)
    assert value(families, "vmm_start_time_seconds") == 1499679819.123456
    assert value(families, "vmm_role_up", role="vmm_gate") == 1
    assert value(families, "vmm_role_up", role="vmm_stats") == 0
    assert value(families, "vmm_role_restarts", role="vmm_gate") == 2
    assert value(families, "vmm_connections") == 60
    assert [value(families, "vmm_handshakes", result=result)
            for result in ("accepted", "refused", "lost")] == [40, 5, 7]
    assert value(families, "vmm_sessions") == 3
    assert value(families, "vmm_certificate_expires_timestamp_seconds", certificate="ca") == 1893456000
    assert value(families, "vmm_vms") == 8
    assert [value(families, "vmm_vm_starts", result=result) for result in ("started", "failed")] == [9, 10]
    assert value(families, "vmm_memory_limit_bytes") == 2**30
    assert value(families, "vmm_memory_used_bytes") == 96 * 2**20
    assert value(families, "vmm_volumes_used_bytes") == 64 * 2**20
    assert value(families, "vmm_host_cpus") == 2
    assert [value(families, "vmm_host_cpu_seconds", mode=mode)
            for mode in ("user", "system", "idle")] == [11.5, 12, 13.000001]
    assert value(families, "vmm_host_memory_bytes") == 2**34
    assert value(families, "vmm_host_memory_available_bytes") == 2**33


def test_a_tenant_is_told_of_vms_alone(upper, http):
    upper.tell("samples tenant")
    families = metrics(http.get(METRICS).body)
    assert len(families["vmm_vm"].samples) == 3
    assert {name for name in families if not name.startswith("vmm_vm")} == {"vmm_build"}


def test_metrics_of_nothing(upper, http):
    upper.tell("samples none")
    body = http.get(METRICS).body
    assert "vmm_role_up" in metrics(body) and "vmm_vm_cpu_seconds" not in body


# Bounds, and what breaks off


@pytest.mark.parametrize("path", [LIST, METRICS])
def test_a_thousand(upper, http, sanitized, path):
    upper.tell("samples many")
    for _ in range(3):
        body = http.get(path).body
        if path == LIST:
            names = [one["name"] for one in json.loads(body)]
        else:
            names = [line.labels["vm"].removeprefix("dev/") for line in metrics(body)["vmm_vm"].samples]
        assert names == [f"vm{i}" for i in range(1000)]
    [worker] = upper.workers()
    assert own_kb(worker) < (400 if sanitized else 40) * 1024


@pytest.mark.parametrize("path", [LIST, METRICS])
def test_more_than_an_answer_may_have(upper, http, path):
    upper.tell("samples huge")
    answer = http.get(path)
    assert (answer.status, answer.detail) == (503, "no memory for the answer; ask for less")
    upper.tell("samples few")
    assert http.get(path).status == 200


@pytest.mark.parametrize("path", [LIST, METRICS])
@pytest.mark.parametrize("kind", ["cut", "bad"])
def test_half_an_answer_is_none(upper, http, path, kind):
    upper.tell(f"samples {kind}")
    answer = http.get(path)
    assert (answer.status, answer.json()["type"]) == (503, "urn:vmm:unavailable")
    assert answer.detail == "vmm_stats is being started again: try once more"
    upper.tell("samples few")
    assert http.get(path).status == 200


@pytest.mark.parametrize("path", [LIST, METRICS])
def test_beside_one_that_does_not_come(upper, http, path):
    upper.tell("samples silent")
    silent = http.request(path)
    upper.expect("statistics .*")
    upper.tell("samples few")
    assert http.get(path).status == 200
    assert silent not in http.status
    upper.tell("hush")
    assert http.answer(silent).status == 503


@pytest.mark.parametrize("path", [LIST, METRICS])
def test_a_session_that_ends_meanwhile(upper, client, path):
    session = upper.session(client)
    upper.tell("samples silent")
    stream = session.request(path)
    upper.expect("statistics .*")
    upper.tell("end your certificate was revoked")
    answer = session.answer(stream)
    assert (answer.status, answer.detail) == (403, "your certificate was revoked")
    upper.expect("reader 0")


def test_a_request_that_is_given_up(upper, http):
    upper.tell("samples silent")
    stream = http.request(METRICS)
    upper.expect("statistics .*")
    http.http.reset_stream(stream)
    http.flush()
    upper.expect("reader 0")
