"""The table of doc/security.md: each row of what vmm promises, and the tests that prove it."""

import re
from typing import NamedTuple


class Row(NamedTuple):
    number: str       # "01a"
    meson: list[str]  # unit and pair tests, by their names in Meson
    files: list[str]  # end-to-end tests, those of them that are marked security(number)


def words(cell):
    return re.findall(r"`([^`]+)`", cell)


def table(repository):
    rows = []
    for line in (repository / "doc/security.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if len(cells) == 4 and re.fullmatch(r"\d\d\w?", cells[0]):
            rows.append(Row(cells[0], words(cells[2]), words(cells[3])))
    return rows


def patches(repository):
    """Row to the patches that break it."""
    found = {}
    for path in sorted((repository / "tests/broken").glob("*.patch")):
        found.setdefault(re.split(r"[-.]", path.name)[0], []).append(path)
    return found
