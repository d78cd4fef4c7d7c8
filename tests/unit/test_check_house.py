"""scripts/check_house: a small house passes, and each of its limits can be broken."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from support import ROOT

SRC = "src/dbt_selfheal/"
HOUSE = {
    "macros/plan/plan.sql": (
        "{# on duckdb #}\n{% macro plan() %}\n  -- as postgres does\n  select 1\n{% endmacro %}\n"
    ),
    "macros/adapters/duckdb.sql": "{% macro duckdb__traits() %}{% endmacro %}\n",
    "database/macros/schema.sql": "{%- macro validate_schema() -%}{%- endmacro -%}\n",
    f"{SRC}__init__.py": "from dbt_selfheal.api import Thing as Thing\n",
    f"{SRC}errors.py": "class SomeError(Exception): ...\n",
    f"{SRC}api.py": "from dbt_selfheal.engine.attempt import Attempt as Thing\n",
    f"{SRC}cli/__init__.py": "",
    f"{SRC}cli/main.py": "import dbt_selfheal.engine.attempt\n",
    f"{SRC}engine/__init__.py": "",
    f"{SRC}engine/attempt.py": "from ..errors import SomeError\n\n\nclass Attempt:\n    x = 1\n",
    f"{SRC}engine/memory.py": "from dbt_selfheal import errors\n",
    f"{SRC}engine/inside/runner.py": "import json\n",
}


def check(root: Path, files: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Writes a house and checks it."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    command = [sys.executable, str(ROOT / "scripts" / "check_house"), "--root", str(root), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def broken(done: subprocess.CompletedProcess[str]) -> list[str]:
    """Returns what the check names."""
    return [line for line in done.stdout.splitlines() if line.startswith("BROKEN")]


def macro(name: str, lines: int) -> str:
    """Returns a macro of so many lines."""
    return f"{{% macro {name}() %}}\n" + "  select 1\n" * (lines - 2) + "{% endmacro %}\n"


def test_a_house_within_its_limits_passes_and_its_figures_are_printed(tmp_path: Path) -> None:
    done = check(tmp_path, HOUSE)
    assert (done.returncode, broken(done), done.stderr) == (0, [], "")
    for text in (
        "dbt_selfheal: 2 macros (at most 120) in macros/",
        "longest: 4 lines (at most 60), plan in macros/plan/plan.sql",
        "files outside macros/adapters/ that name an adapter: 0",
        "dbt_selfheal_database: 1 macros in database/macros/",
        "cli            2 files; imports engine",
        "engine         3 files; imports the ground",
        "circles of imports: none",
        "longest class: 2 lines (at most 250), Attempt in engine.attempt",
    ):
        assert text in done.stdout


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"macros/many.sql": "".join(macro(f"m{n}", 2) for n in range(119))}, "macros of dbt_selfheal: 121"),
        ({"macros/long.sql": macro("long", 61)}, "lines of the macro long in macros/long.sql: 61"),
        (
            {"database/macros/long.sql": macro("long", 61)},
            "lines of the macro long in database/macros/long.sql: 61",
        ),
        (
            {"macros/plan/b.sql": "{% macro b() %}{{ target.type == 'Postgres' }}{% endmacro %}"},
            "macros/plan/b.sql names an adapter: postgres",
        ),
        (
            {"macros/plan/b.sql": "{% macro sqlite__b() %}{# #}{% endmacro %}"},
            "macros/plan/b.sql names an adapter: sqlite",
        ),
        (
            {"database/macros/b.sql": "{% macro b() %}{{ 'snowflake' }}{% endmacro %}"},
            "database/macros/b.sql names an adapter: snowflake",
        ),
        (
            {f"{SRC}engine/big.py": "class Big:\n" + "    x = 1\n" * 250},
            "lines of the class Big in engine.big: 251",
        ),
        (
            {f"{SRC}engine/big.py": "def big():\n" + "    x = 1\n" * 60},
            "lines of the function big in engine.big: 61",
        ),
        (
            {f"{SRC}engine/m{n}.py": "" for n in range(10)},
            "files of the room engine: 13, and at most 12 are allowed",
        ),
        (
            {f"{SRC}engine/up.py": "def f():\n    from dbt_selfheal.cli import main\n"},
            "engine.up imports cli.main: cli is not below engine",
        ),
        (
            {f"{SRC}cli/side.py": "from dbt_selfheal import api\n"},
            "cli.side imports api: api is not below cli",
        ),
        (
            {f"{SRC}engine/inside/runner.py": "from dbt_selfheal.errors import SomeError\n"},
            "engine.inside.runner imports errors: the ground is not below engine/inside",
        ),
        (
            {
                f"{SRC}engine/memory.py": "from .attempt import x\n",
                f"{SRC}engine/attempt.py": "from . import memory\n",
            },
            "a circle of imports: engine.attempt -> engine.memory -> engine.attempt",
        ),
        ({f"{SRC}attic/__init__.py": ""}, "attic has no place in the house"),
    ],
)
def test_each_limit_can_be_broken(tmp_path: Path, files: dict[str, str], expected: str) -> None:
    done = check(tmp_path, {**HOUSE, **files})
    assert done.returncode == 1, done.stdout
    assert len(broken(done)) == 1
    assert expected in broken(done)[0]


def test_one_side_can_be_checked_alone(tmp_path: Path) -> None:
    files = {**HOUSE, "macros/long.sql": macro("long", 61)}
    assert check(tmp_path, files, "--only", "python").returncode == 0
    assert check(tmp_path, files, "--only", "macros").returncode == 1


def test_this_python_side_keeps_to_its_limits() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "check_house"), "--only", "python"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
