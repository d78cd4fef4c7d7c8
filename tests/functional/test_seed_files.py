"""User story 3: a wrong seed file is an error that names it; after its repair the same command succeeds."""

from __future__ import annotations

import pytest
from conftest import ProjectFactory
from functional.helpers import (
    FILES,
    LEAF,
    REQUIRED,
    built,
    clear,
    fingerprints,
    hook_errors_stop,
    make_ready,
    mark,
    refused,
)
from support import DbtProject

pytestmark = pytest.mark.duckdb

SEED = "seeds/census.csv"
GOOD = FILES[SEED].encode()
HEADER = GOOD.splitlines()[0] + b"\n"
KEPT = ("config_age_bands", "config_tenure_bands", "int_employee_benefits")


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        (b"", ["empty", "first line must name the columns"]),
        (HEADER + b"1,25,1,50000.5\n2,45,10,90000,extra\n", ["row 2", "more values than the 4 columns"]),
        (HEADER + b"1,25,1,50000.5,a,b,c,d,e\n", ["more values than the 4 columns"]),
        # dbt's parser itself fails on a small file that is not UTF-8; it does not read one above 1 MiB
        (HEADER + b"1,25,1,50000.5\n" * 80_000 + b"2,45,10,\xff\xfe\n", ["not valid UTF-8"]),
        # one that ends with the file, soon enough for dbt's reader, is a value: see below
        (HEADER + b'1,25,1,"50000.5\n' + b"2,45,10,90000\n" * 12_000, ["quote is not closed"]),
    ],
    ids=["empty", "one-value-more", "many-values-more", "not-utf-8", "unclosed-quote"],
)
@pytest.mark.promise("Found before anything is built")
def test_a_wrong_seed_file_is_named_nothing_changes_and_after_its_repair_the_command_succeeds(
    workspace: DbtProject, content: bytes, parts: list[str]
):
    """US3.1 and US3.2."""
    make_ready(workspace)
    workspace.drop(*(set(REQUIRED) - set(KEPT)), LEAF)
    mark(workspace, KEPT)
    before = fingerprints(workspace)
    (workspace.folder / SEED).write_bytes(content)
    output = refused(workspace, "run", "-s", LEAF)
    assert SEED in output
    for part in parts:
        assert part in output
    (workspace.folder / SEED).write_bytes(GOOD)
    result = workspace.dbt("run", "-s", LEAF)
    assert result.statuses == {LEAF: "success"}
    assert sorted(built(result)) == sorted(set(REQUIRED) - set(KEPT))
    after = fingerprints(workspace)
    assert {name: after[name] for name in KEPT} == {name: before[name] for name in KEPT}
    assert len(after["census"].rows) == 3


def test_with_no_database_a_wrong_seed_file_leaves_no_relation_behind(workspace: DbtProject):
    """The check is made before anything is built, whatever the seed's place in the order."""
    (workspace.folder / "seeds/config_tenure_bands.csv").write_bytes(b"")
    output = refused(workspace, "run", "-s", LEAF)
    assert "seeds/config_tenure_bands.csv" in output
    assert workspace.names() <= {LEAF}
    workspace.write({"seeds/config_tenure_bands.csv": FILES["seeds/config_tenure_bands.csv"]})
    assert sorted(built(workspace.dbt("run", "-s", LEAF))) == sorted(REQUIRED)


WAIT = (
    "{% macro wait() %}{% if execute and flags.WHICH == 'run' %}"
    "{% do log('waiting', info=true) %}"
    "{% set end = modules.datetime.datetime.now() + modules.datetime.timedelta(seconds=1.5) %}"
    "{% for i in range(99999) if modules.datetime.datetime.now() < end %}"
    "{% for j in range(2000) %}{% endfor %}{% endfor %}{% endif %}{% endmacro %}"
)


def test_a_seed_file_that_is_gone_is_named_with_its_place(make_project: ProjectFactory):
    """Spec, edge cases: report which files are missing and where they should be located.

    dbt itself notices a file that is gone when it parses the project; so this one goes after that.
    """
    project = make_project(
        {
            "seeds/bands.csv": "id,band\n1,young\n",
            "models/leaf.sql": "select * from {{ ref('bands') }}",
            "macros/wait.sql": WAIT,
        },
        config={"on-run-start": ["{{ wait() }}{{ dbt_selfheal.ensure_initialized() }}"]},
    )
    project.dbt("parse")
    running = project.start("run", "-s", "leaf")
    running.wait_for("waiting")
    seed = project.folder / "seeds/bands.csv"
    seed.unlink()
    result = running.wait(check=False)
    output = " ".join(result.output.split())
    assert "seeds/bands.csv" in output
    assert "is not there" in output
    assert str(seed) in output
    if hook_errors_stop(result):
        assert result.returncode > 0
        assert set(result.statuses.values()) <= {"skipped"}
    assert project.relations() == {}
    seed.write_text("id,band\n1,young\n")
    result = project.dbt("run", "-s", "leaf")
    assert built(result) == ["bands"]
    assert project.rows("leaf") == [(1, "young")]


def test_a_row_with_fewer_values_than_columns_is_named_before_anything_is_built(workspace: DbtProject):
    """The issue: ragged. Plain `dbt seed` fails on such a file on DuckDB, in the middle of its work."""
    path = "seeds/config_tenure_bands.csv"
    workspace.write({path: "band,min_years,max_years\nnew,0,4\nlong\n"})
    assert workspace.dbt("seed", "-s", "config_tenure_bands", check=False).returncode == 1
    clear(workspace)
    output = refused(workspace, "run", "-s", LEAF)
    assert path in output
    assert workspace.names() <= {LEAF}


def test_an_unclosed_quote_that_dbt_seed_accepts_is_read_alike(make_project: ProjectFactory):
    """Invariant 3: a healed relation equals a built one, be it what was meant or not."""
    project = make_project(
        {
            "seeds/pay.csv": 'id,salary\n1,"50000.5\n2,90000\n',
            "models/leaf.sql": "select * from {{ ref('pay') }}",
        }
    )
    assert built(project.dbt("run", "-s", "leaf")) == ["pay"]
    healed = project.columns("pay"), project.rows("pay")
    project.dbt("seed", "--full-refresh")
    assert healed == (project.columns("pay"), project.rows("pay"))
