"""doc/security.md says which tests prove a row; here its table is held against the tests that there are, and
the patches of tests/broken against the tree."""

import json
import re

import pytest

import rows
from conftest import REPOSITORY
from family import run

TABLE = rows.table(REPOSITORY)


def marked():
    """(row, file) of every mark."""
    found = set()
    for path in (REPOSITORY / "tests/e2e").glob("test_*.py"):
        for arguments in re.findall(r"mark\.security\(([^)]*)\)", path.read_text()):
            found |= {(row, path.name) for row in re.findall(r'"(\w+)"', arguments)}
    return found


def test_the_table_has_every_mark():
    assert {(row.number, file) for row in TABLE for file in row.files} == marked()


def test_every_row_is_there():
    assert [row.number for row in TABLE] == ["01", "01a", *(f"{n:02}" for n in range(2, 11))]


def test_unit_tests_are_there(build):
    listed = json.loads(run(["meson", "introspect", "--tests", build]).out)
    names = {test["name"] for test in listed}
    assert [name for row in TABLE for name in row.meson if name not in names] == []


def test_every_row_can_be_broken():
    assert sorted(rows.patches(REPOSITORY)) == [row.number for row in TABLE]


@pytest.mark.parametrize("patch", [path for paths in rows.patches(REPOSITORY).values() for path in paths],
                         ids=lambda path: path.stem)
def test_a_patch_applies(patch):
    """Otherwise make it anew: what it breaks has moved."""
    done = run(["patch", "--dry-run", "--strip=1", "--fuzz=0", "--force", f"--input={patch}"],
               cwd=REPOSITORY)
    assert done.code == 0, done.out
