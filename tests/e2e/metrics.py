"""What GET /metrics says, read by Prometheus' own parser, and followed: nothing that counts goes back."""

from prometheus_client.openmetrics.parser import text_string_to_metric_families

from family import run, until


def table(build):
    """Name, as lines have it, to (type, labels), from the program's own table."""
    done = run([build / "src/gate/vmm_gate", "--metrics"])
    assert done.code == 0, done
    rows = [line.split("\t") for line in done.out.splitlines()]
    return {name: (kind, set(labels.split())) for name, kind, labels, _ in rows}


class Sheet:
    """One answer."""

    def __init__(self, text):
        families = list(text_string_to_metric_families(text))
        self.types = {family.name: family.type for family in families}
        self.lines = {(line.name, tuple(sorted(line.labels.items()))): line.value
                      for family in families for line in family.samples}

    def get(self, name, **labels):
        """Of the one line of NAME that has LABELS, among others; None: there is none."""
        found = [value for (line, theirs), value in self.lines.items()
                 if line == name and labels.items() <= dict(theirs).items()]
        assert len(found) < 2, (name, labels, self.lines)
        return found[0] if found else None

    def names(self):
        return {name for name, _ in self.lines}

    def values(self, label):
        return {dict(labels).get(label) for _, labels in self.lines} - {None}


class Scraper:
    """A session that asks again and again. Whatever of VMs counts must not go back, whoever was killed; nor of
    the family, as long as it is the same vmmd."""

    def __init__(self, family, chain=None):
        self.family, self.chain = family, chain or family.admin
        self.session = None
        self.last = None

    def answer(self):
        if self.session is None:
            self.session = self.family.http(self.chain)
        return self.session.get("/metrics")

    def sheet(self):
        answer = self.answer()
        assert answer.status_code == 200, answer.text
        return self.take(answer)

    def take(self, answer):
        assert answer.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
        sheet = Sheet(answer.text)
        if self.last:
            back = going_back(self.last, sheet)
            assert back == {}, back
        self.last = sheet
        return sheet

    def until(self, condition, what):
        """The first sheet of which CONDITION is true."""
        def ask():
            sheet = self.sheet()
            return condition(sheet) and sheet
        return until(ask, what)

    def fresh(self, vm):
        """A sheet with a reading of VM that began after this call."""
        uptime = self.until(lambda sheet: self.uptime(sheet, vm), "it was looked at once").get(
            "vmm_vm_uptime_seconds", vm=vm)
        for _ in range(2):  # one may just have been under way
            sheet = self.until(lambda sheet, seen=uptime: self.uptime(sheet, vm) > seen, "it is looked at again")
            uptime = self.uptime(sheet, vm)
        return sheet

    @staticmethod
    def uptime(sheet, vm):
        return sheet.get("vmm_vm_uptime_seconds", vm=vm)

    def close(self):
        if self.session:
            self.session.close()
            self.session = None


def of_a_vm(key):
    return "vm" in dict(key[1])


def going_back(before, after):
    """(then, now) of each line of a counter that has shrunk, but those that began anew with vmmd."""
    start = "vmm_start_time_seconds"
    same = before.get(start) == after.get(start)
    return {key: (before.lines[key], value) for key, value in after.lines.items()
            if key[0].endswith("_total") and (same or of_a_vm(key)) and value < before.lines.get(key, 0)}
