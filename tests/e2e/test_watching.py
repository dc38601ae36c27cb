"""What watches vmmd: the alerts and the dashboard in packaging/, and the page about them, against the table of metrics
that vmm_gate has; the alerts against made-up series. What a real Prometheus makes of it: test_prometheus.py."""

import json
import re

import pytest

from conftest import REPOSITORY
from family import run
from metrics import table

PROMETHEUS = REPOSITORY / "packaging/prometheus"
OF_THE_SCRAPE = {"instance", "job"}


@pytest.fixture(scope="module")
def metrics(build):
    """Name, as series have it, to its labels."""
    return {name: labels for name, (_, labels) in table(build).items()}


def alerts():
    """Name to expression, of every rule."""
    text = (PROMETHEUS / "vmm.rules.yml").read_text()
    found = re.findall(r"- alert: (\w+)\n\s+expr: (?:\|\n((?:\s{10}.*\n)+)|(.*)\n)", text)
    assert len(found) == text.count("- alert:")
    return {name: several or one for name, several, one in found}


def dashboard():
    return json.loads((REPOSITORY / "packaging/grafana/vmm.json").read_text())


def expressions():
    """Of every panel, and of the variables."""
    board = dashboard()
    queries = [variable["definition"] for variable in board["templating"]["list"] if variable["type"] == "query"]
    return queries + [target["expr"] for panel in board["panels"] for target in panel.get("targets", [])]


def used(expression):
    """(metric, labels asked for) of each selector; what is grouped by."""
    selectors = [(name, set(re.findall(r"(\w+)\s*(?:=|!=|=~|!~)\"", matchers)))
                 for name, matchers in re.findall(r"\b(vmm_\w+)(?:\{([^}]*)\})?", expression)]
    groups = {label for words in re.findall(r"\b(?:by|on|group_left)\s*\(([^)]*)\)", expression)
              for label in re.split(r",\s*", words) if label}
    return selectors, groups


def assert_there(expression, metrics):
    selectors, groups = used(expression)
    for name, labels in selectors:
        assert name in metrics, (name, expression)
        assert labels <= metrics[name] | OF_THE_SCRAPE, (labels, expression)
    theirs = set().union(*(metrics[name] for name, _ in selectors))
    assert groups <= theirs | OF_THE_SCRAPE, (groups, expression)


def test_alerts_are_about_metrics_that_there_are(metrics):
    for expression in alerts().values():
        assert_there(expression, metrics)


def test_alerts_say_what_they_know(metrics):
    """A label in their words is one of theirs."""
    text = (PROMETHEUS / "vmm.rules.yml").read_text()
    for part in text.split("- alert: ")[1:]:
        expression = alerts()[part.split("\n")[0]]
        theirs = set().union(OF_THE_SCRAPE, *(metrics[name] for name, _ in used(expression)[0]))
        assert set(re.findall(r"\$labels\.(\w+)", part)) <= theirs, part


def test_the_dashboard_shows_every_metric(metrics):
    for expression in expressions():
        assert_there(expression, metrics)
    assert {name for expression in expressions() for name, _ in used(expression)[0]} == set(metrics)


def test_the_dashboard_is_whole():
    """No two panels at one place or of one number, and each asks the data source that is chosen."""
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    cells = [(x, y) for panel in panels for place in [panel["gridPos"]]
             for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])]
    assert len(set(cells)) == len(cells) and max(x for x, _ in cells) == 23
    for panel in panels:
        assert panel["type"] == "row" or panel["datasource"]["uid"] == "${datasource}", panel["title"]
        assert panel["type"] == "row" or panel["targets"], panel["title"]


def test_the_page_has_every_alert():
    text = (REPOSITORY / "doc/operating.md").read_text().partition("| alert |")[2].split("\n\n")[0]
    assert set(re.findall(r"`(Vmm\w+)`", text)) == set(alerts())


def test_documents_name_metrics_that_there_are(metrics):
    """Whatever looks like one: it is a metric, a program or the page's table of NAT."""
    programs = {f"vmm_{folder.name}" for folder in (REPOSITORY / "src").iterdir()} | {"vmm_protocol"}
    known = programs | {"vmm_nat"} | {other for name in metrics for other in (name, re.sub("_(total|info)$", "", name))}
    for path in [REPOSITORY / "README.md", *(REPOSITORY / "doc").glob("*.md"), *(REPOSITORY / "man").glob("*.[1-8]")]:
        assert set(re.findall(r"\bvmm_[a-z_]+", path.read_text())) <= known, path


def test_alerts_fire(tmp_path):
    """Each of them is tried, with what must not fire beside it."""
    tried = (REPOSITORY / "tests/e2e/alerts.yml").read_text()
    assert set(re.findall(r"alertname: (\w+)", tried)) == set(alerts())
    made = tmp_path / "alerts.yml"
    made.write_text(tried.replace("RULES", str(PROMETHEUS / "vmm.rules.yml")))
    done = run(["promtool", "test", "rules", made])
    assert done.code == 0, done
