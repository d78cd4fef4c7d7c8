"""The files of macros/adapters: each says what it must, and nothing that nobody reads."""

from __future__ import annotations

import json
import re

import pytest
from support import ROOT

FOLDER = ROOT / "macros" / "adapters"
FILES = {path.stem: path.read_text() for path in FOLDER.glob("*.sql")}
ADAPTERS = sorted(set(FILES) - {"default"})
#: Those that the tests have for themselves; the others have a bed.
OWN = {"duckdb": "DuckDB", "postgres": "PostgreSQL", "sqlite": "SQLite", "spark": "Spark"}
MUST_SAY = {"tested", "names"}
MADE = {"exact"}  # by the macro `_traits`, of another trait and the project


def _said(name: str) -> set[str]:
    """Returns the traits that an adapter's file has."""
    macro = re.search(rf"macro {name}___traits\(\).*?endmacro", FILES[name], re.DOTALL)
    assert macro, f"macros/adapters/{name}.sql has no macro {name}___traits"
    return set(re.findall(r"(?<=[{,\s])'(\w+)':\s", re.sub(r"\{'macro'.*?\}", "none", macro[0])))


def _documented() -> set[str]:
    """Returns the traits in the list above the macro `_traits`, which begins each with five spaces."""
    text = FILES["default"].split("macro _traits()")[0]
    heads = re.findall(r"^     (\w+(?:, \w+)*)   ?", text, re.MULTILINE)
    return {name for head in heads for name in head.split(", ")} - MADE


def test_each_trait_has_a_default_and_is_explained():
    assert _said("default") == _documented()


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_an_adapter_says_what_it_must_and_nothing_unknown(adapter: str):
    said = _said(adapter)
    assert said >= MUST_SAY, f"missing: {', '.join(MUST_SAY - said)}"
    assert said <= _documented(), f"unknown: {', '.join(said - _documented())}"
    assert f"'tested': '{adapter}'" in FILES[adapter]


def test_each_trait_is_read_somewhere():
    code = "".join(path.read_text() for path in (ROOT / "macros").rglob("*.sql") if path.parent != FOLDER)
    code += FILES["default"].split("macro default___traits")[1].split("endmacro", 1)[1] + FILES["duckdb"]
    code += FILES["default"].split("macro _traits()")[1].split("endmacro", 1)[0]
    unread = {name for name in _said("default") if not re.search(rf"\.{name}\b", code)}
    assert unread == set()


def test_the_table_of_the_readme_has_each_adapter():
    beds = {
        path.stem: json.loads(path.read_text())["name"] for path in ROOT.glob("tests/warehouses/beds/*.json")
    }
    assert sorted([*beds, *OWN]) == ADAPTERS
    table = (ROOT / "README.md").read_text().split("<!-- adapters: ")[1].split("<!-- adapters end")[0]
    rows = re.findall(r"^\| ([^|]+?) \|", table, re.MULTILINE)
    assert sorted(rows[1:]) == sorted([*beds.values(), *OWN.values()])
