"""docs/requirements.md and the tests marked promise agree."""

from __future__ import annotations

import ast
import re

from support import ROOT

TESTS = ROOT / "tests"
OF_THEIR_OWN = {"conformance"}  # a section of scripts/test, not pytest's


def _documented() -> dict[str, set[str]]:
    """Returns the tests that the page links to for each requirement, by its name."""
    page = (ROOT / "docs" / "requirements.md").read_text()
    rows = re.findall(r"^\| \*\*(.+?)\*\*(.*)$", page, re.MULTILINE)
    return {name: set(re.findall(r"\]\(\.\./tests/(.+?)\)", rest)) - OF_THEIR_OWN for name, rest in rows}


def _marked() -> dict[str, set[str]]:
    """Returns the files with tests that are marked with a promise, by its name."""
    found: dict[str, set[str]] = {}
    for path in TESTS.rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.promise":
                name = ast.literal_eval(node.args[0])
                found.setdefault(name, set()).add(path.relative_to(TESTS).as_posix())
    return found


def test_each_requirement_is_shown_in_the_usual_run_by_the_tests_that_the_page_names():
    documented, marked = _documented(), _marked()
    assert sorted(documented) == sorted(marked)
    for name, paths in documented.items():
        folders = {path for path in paths if not path.endswith(".py")}
        files = {file for file in marked[name] if not any(file.startswith(f"{one}/") for one in folders)}
        assert files == paths - folders, name
        assert all(any(file.startswith(f"{one}/") for file in marked[name]) for one in folders), name
