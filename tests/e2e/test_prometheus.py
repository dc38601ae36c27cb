"""A real Prometheus with the configuration, the alerts and the dashboard of packaging/: it scrapes vmmd with a client's
certificate, and what it has then is what the table of metrics says."""

import contextlib
import json
import re
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request

import pytest

import ground
import metrics
from conftest import REPOSITORY
from family import free_port, run, until
from test_watching import expressions

FAMILY_OPTIONS = ("--stats-interval", "1")
PACKAGED = REPOSITORY / "packaging/prometheus"


class Prometheus:
    """One of the test's own, on loopback; what the packaged configuration names is beside it."""

    def __init__(self, folder, family, chain):
        self.folder, self.port = folder, free_port()
        (folder / "vmm").mkdir()
        shutil.copy(family.ca.path("cacert.pem"), folder / "vmm/cacert.pem")
        shutil.copy(chain.bundle, folder / "vmm/prometheus.bundle")
        shutil.copy(chain.key, folder / "vmm/prometheus.key")
        shutil.copy(PACKAGED / "vmm.rules.yml", folder)
        text = (PACKAGED / "prometheus.yml").read_text()
        assert "vm.example.org:1025" in text and "scrape_interval: 15s" in text
        (folder / "prometheus.yml").write_text(text.replace("vm.example.org:1025", f"localhost:{family.port}")
                                               .replace("_interval: 15s", "_interval: 1s"))
        self.process = None

    def start(self):
        with open(self.folder / "log", "wb") as log:
            self.process = subprocess.Popen(
                ["prometheus", f"--config.file={self.folder}/prometheus.yml",
                 f"--storage.tsdb.path={self.folder}/data", f"--web.listen-address=127.0.0.1:{self.port}"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        until(self.ready, "Prometheus is ready")
        return self

    def ready(self):
        assert self.process.poll() is None, (self.folder / "log").read_text()
        with contextlib.suppress(urllib.error.URLError):
            return urllib.request.urlopen(f"http://127.0.0.1:{self.port}/-/ready").status == 200
        return False

    def api(self, path, **parameters):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v1/{path}?"
                                    + urllib.parse.urlencode(parameters)) as answer:
            answer = json.load(answer)
        assert answer["status"] == "success", answer
        return answer["data"]

    def query(self, expression):
        """(labels, value) of each."""
        return [(one["metric"], float(one["value"][1])) for one in self.api("query", query=expression)["result"]]

    def up(self):
        return [value for _, value in self.query('up{job="vmm"}')] == [1]

    def last_error(self):
        """Of its last scrape; None: there was none."""
        [error] = [target["lastError"] for target in self.api("targets")["activeTargets"]
                   if target["health"] != "unknown"] or [None]
        return error

    def close(self):
        if self.process:
            self.process.terminate()
            self.process.wait()


@pytest.fixture
def prometheus(tmp_path):
    """prometheus(FAMILY, CHAIN): it runs."""
    made = []

    def make(family, chain):
        folder = tmp_path / f"prometheus{len(made)}"
        folder.mkdir()
        made.append(Prometheus(folder, family, chain))
        return made[-1].start()

    yield make
    for one in made:
        one.close()


def watcher(ca, issuer):
    return ca.command(ca.unique("prometheus"), issuer=issuer, permissions=("statistics",))


def test_the_configuration(family, ca, tmp_path):
    """promtool's opinion, with the files that it names."""
    made = Prometheus(tmp_path, family, watcher(ca, "ca"))
    done = run(["promtool", "check", "config", made.folder / "prometheus.yml"])
    assert done.code == 0 and "rules found" in done.out, done


@pytest.fixture
def everything(family, ca, tree):
    """A VM that has two taps, a volume and KVM."""
    with ground.bridge("ext", "10.77.0.1/24") as ext:
        name = ca.unique("everything")
        ca("delegation", name, "--vms", "1", "--memory", "64", "--cpu", "0", "--block", "8",
           "--bridge", f"{ext}/10.77.0.2/10.77.0.5/10.77.0.1/24", "--issuer", "ca")
        admin = ca.command(ca.unique("admin"), issuer=name)
        assert family.curl(admin, "/volumes/disk?size=1", "-X", "PUT").status == 201
        vm = ca.unique("vm")
        family.deploy(ca.vm(vm, tree.guest("net2block", "hvt"), issuer=name, memory=8,
                            extra=("--net", f"service0:{ext}", "--net", f"service1:{ext}", "--block", "disk")))
        yield f"{name}/{vm}"
        family.destroy_all()


def filled(expression):
    """As Grafana fills the dashboard's variables in."""
    for name, value in {"instance": ".*", "vm": ".*", "__rate_interval": "30s"}.items():
        expression = expression.replace(f"${name}", value)
    return expression


@pytest.mark.kvm
@pytest.mark.network("bridges and taps")
def test_it_has_every_series(build, family, ca, everything, prometheus):
    """Each metric, of its type; the alerts run, and the dashboard has something in every panel."""
    watching = prometheus(family, watcher(ca, "ca"))
    until(watching.up, "it scrapes")
    table = metrics.table(build)
    until(lambda: {labels["__name__"] for labels, _ in watching.query('{__name__=~"vmm_.*"}')} == set(table),
          "every metric is there")
    assert {labels["instance"] for labels, _ in watching.query('{__name__=~"vmm_.*"}')} == {f"localhost:{family.port}"}
    assert everything in {labels["vm"] for labels, _ in watching.query("vmm_vm_info")}
    known = {one["metric"]: one["type"] for one in watching.api("targets/metadata") if one["metric"].startswith("vmm")}
    assert known == {re.sub("_(total|info)$", "", name): kind for name, (kind, _) in table.items()}
    assert watching.last_error() == ""

    for expression in expressions():
        if not expression.startswith("label_values"):
            until(lambda expression=expression: watching.query(filled(expression)), f"{expression} has values")
    until(lambda: {rule["health"] for group in watching.api("rules")["groups"] for rule in group["rules"]} == {"ok"},
          "every alert is looked at")
    assert watching.api("alerts")["alerts"] == []


def test_a_tenants_own(family, ca, tree, prometheus):
    """One with a delegate's certificate has that delegation's VMs, and no family."""
    for name in ("alice", "bob"):
        ca.delegation(name)
        family.deploy(ca.vm(f"{name}s", tree.guest("idle"), issuer=name))
    watching = prometheus(family, watcher(ca, "alice"))
    until(lambda: watching.query("vmm_vm_info"), "it scrapes")
    assert {labels["vm"] for labels, _ in watching.query('{__name__=~"vmm_vm_.*"}')} == {"alices"}
    assert watching.query("vmm_role_up") == watching.query("vmm_host_cpus") == []


def test_without_permission(family, ca, prometheus):
    """It says why it has nothing."""
    watching = prometheus(family, ca.command(ca.unique("other"), issuer="ca", permissions=("info",)))
    assert "403" in until(watching.last_error, "it is refused")
    assert watching.query("vmm_build_info") == []


def test_it_comes_back(family, ca, prometheus):
    """vmmd is killed and started again; the alert that it is gone is on its way meanwhile."""
    watching = prometheus(family, watcher(ca, "ca"))
    until(watching.up, "it scrapes")
    family.kill()
    until(lambda: not watching.up(), "it is missed")
    until(lambda: [alert["labels"]["alertname"] for alert in watching.api("alerts")["alerts"]] == ["VmmUnreachable"],
          "an alert waits")
    family.start()
    until(watching.up, "it scrapes again")


def as_older_text(text):
    """What is in the text as the format before OpenMetrics has it, for promtool."""
    for name in re.findall(r"^# TYPE (\S+) counter$", text, re.M):
        text = re.sub(rf"^# (TYPE|HELP) {name} ", rf"# \1 {name}_total ", text, flags=re.M)
    for name in re.findall(r"^# TYPE (\S+) info$", text, re.M):
        text = text.replace(f"# TYPE {name} info", f"# TYPE {name}_info gauge").replace(
            f"# HELP {name} ", f"# HELP {name}_info ")
    return re.sub(r"^# (UNIT .*|EOF)\n", "", text, flags=re.M)


def test_promtool_has_no_complaint(family, ca, tree):
    dev = ca.delegation(ca.unique("dev"))
    family.deploy(ca.vm(ca.unique("vm"), tree.guest("idle"), issuer=dev))
    answer = until(lambda: (said := family.curl(family.admin, "/metrics")).body.count("vmm_vm_cpu") and said, "a VM")
    done = subprocess.run(["promtool", "check", "metrics"], input=as_older_text(answer.body), capture_output=True,
                          encoding="utf-8", check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
