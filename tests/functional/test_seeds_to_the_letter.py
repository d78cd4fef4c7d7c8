"""Seeds to the letter: a healed seed has the columns, types and values that `dbt seed` gives."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
import yaml
from conftest import ProjectFactory
from functional.helpers import in_rounds
from hypothesis import strategies as st
from support import Database, DbtProject, Environment, keep_result

SEEDS_PER_ROUND = 60
ROUNDS = 6  # 360 files, since dbt itself cannot load some

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=12)
SHAPES: dict[str, st.SearchStrategy[str]] = {
    "integers": st.integers(-(10**12), 10**12).map(str),
    "small integers": st.integers(0, 1).map(str),
    "leading zeros": st.integers(0, 99999).map(lambda n: f"{n:06}"),
    "decimals": st.decimals(-(10**6), 10**6, places=3).map(str),
    "exponents": st.builds(lambda m, e: f"{m}e{e}", st.integers(-99, 99), st.integers(-5, 5)),
    "signs and separators": st.sampled_from(["+1", "-2", "1,000", "12.50", "$5", "7%", "1 000"]),
    "booleans": st.sampled_from(["true", "false", "True", "FALSE", "TRUE", "tRuE"]),
    "yes and no": st.sampled_from(["yes", "no", "y", "n", "t", "f", "1", "0"]),
    "dates": st.dates().map(str),
    "short dates": st.sampled_from(["2024-1-5", "2024-01-05", "1999-12-1", "0999-01-01"]),
    "no dates": st.sampled_from(["2024-02-30", "2024-01-05", "24-01-05", "05/01/2024", "2024-13-01"]),
    "date-times": st.datetimes().map(lambda d: d.strftime("%Y-%m-%d %H:%M:%S").rjust(19, "0")),
    "short date-times": st.sampled_from(["2024-1-5 1:2:3", "2024-01-05 01:02:03", "2024-01-05 25:00:00"]),
    "iso date-times": st.datetimes().map(lambda d: d.isoformat()),
    "iso with zone": st.sampled_from(
        [
            "2024-01-05T01:02:03Z",
            "2024-01-05T01:02:03+02:00",
            "2024-01-05T01:02:03.5-0530",
            "20240105T010203Z",
        ]
    ),
    "mixed date-times": st.sampled_from(["2024-01-05", "2024-01-05 01:02:03", "2024-01-05T01:02:03"]),
    "words for dates": st.sampled_from(["tomorrow", "today", "now", "next week", "noon"]),
    "durations": st.sampled_from(["1:30", "4 days", "2h", "1:02:03"]),
    "null words": st.sampled_from(["null", "NULL", "na", "N/A", "none", "None", "nan", ".", "-", "inf"]),
    "nothing": st.just(""),
    "blanks": st.sampled_from(["", " ", "  1 ", " a", "b ", "\t"]),
    "text": TEXT,
    "quotes and lines": st.sampled_from(
        ['"', "a\nb", "a\r\nb", "it's", "a,b", "a;b", "a|b", "\\", "{{ x }}", "%s", "--", "ü"]
    ),
}
NAMES = st.sampled_from(
    ["id", "Name", "UPPER", "order", "select", "größe", "with space", "a_b", "x1", "dash-ed", "1st"]
)


@dataclass(frozen=True)
class Seed:
    """A CSV file and its configuration."""

    content: str
    config: Mapping[str, Any] = field(default_factory=dict)


@st.composite
def seeds(draw: st.DrawFn) -> Seed:
    """Draws a file: columns of one or of two shapes, nulls in between, a delimiter, a byte order mark."""
    names = draw(st.lists(NAMES, min_size=1, max_size=5, unique_by=str.lower))
    count = draw(st.integers(0, 6))
    columns = []
    for _ in names:
        shape = draw(st.sampled_from(sorted(SHAPES)))
        values = SHAPES[shape]
        if draw(st.integers(0, 3)) == 0:
            values = (
                values | SHAPES[draw(st.sampled_from(["nothing", "null words", "integers", "text", "dates"]))]
            )
        columns.append(draw(st.lists(values, min_size=count, max_size=count)))
    delimiter = draw(st.sampled_from([",", ",", ",", ";", "\t", "|"]))
    config: dict[str, Any] = {} if delimiter == "," else {"delimiter": delimiter}
    # always quoted, since some names are words that a database reserves
    config["quote_columns"] = True
    if draw(st.integers(0, 4)) == 0:
        config["column_types"] = {names[0]: "varchar(200)"}
    file = io.StringIO()
    quote_all = draw(st.booleans())
    writer = csv.writer(
        file,
        delimiter=delimiter,
        quoting=csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL,
        lineterminator=draw(st.sampled_from(["\n", "\r\n"])),
    )
    writer.writerow(names)
    writer.writerows(zip(*columns, strict=True))
    return Seed(("\ufeff" if draw(st.integers(0, 5)) == 0 else "") + file.getvalue(), config)


def write(project: DbtProject, files: list[Seed]) -> None:
    """Makes the files the project's seeds s0, s1, ..."""
    properties = {
        "version": 2,
        "seeds": [{"name": f"s{n}", "config": dict(seed.config)} for n, seed in enumerate(files)],
    }
    for n, seed in enumerate(files):
        (project.folder / "seeds").mkdir(exist_ok=True)
        (project.folder / "seeds" / f"s{n}.csv").write_bytes(seed.content.encode())
    project.write({"seeds/properties.yml": yaml.safe_dump(properties)})


def compare(plain: DbtProject, healed: DbtProject, files: list[Seed]) -> int:
    """Loads the files with `dbt seed` and by healing, and compares column by column and row by row.

    A file that `dbt seed` cannot load is left out of healing.

    Returns:
        How many were compared.
    """
    for project in (plain, healed):
        project.drop(*project.relations())
        write(project, files)
    result = plain.dbt("seed", check=False)
    loaded = [name for name, status in result.statuses.items() if status == "success"]
    assert len(loaded) >= len(files) / 2, result.explain()
    healed.dbt("run-operation", "ensure_initialized", args={"select": loaded})
    for name in loaded:
        content = files[int(name[1:])]
        assert healed.columns(name) == plain.columns(name), content
        assert healed.rows(name) == plain.rows(name), content
    return len(loaded)


@pytest.fixture
def pair(make_project: ProjectFactory) -> tuple[DbtProject, DbtProject]:
    """A project that loads seeds the plain way, and one that heals them, on databases of their own."""
    wide = {"vars": {"dbt_selfheal": {"timeout_seconds": 600}}}
    return make_project({}, install=False), make_project({}, config=wide)


@pytest.mark.timeout(900)
def test_any_csv_file_is_healed_as_dbt_seed_loads_it(
    pair: tuple[DbtProject, DbtProject],
    dbt_environment: Environment,
    record_property: Callable[[str, object], None],
) -> None:
    """Generated files: at least 300 that dbt itself can load."""
    compared: list[int] = []
    in_rounds(
        seeds(),
        rounds=ROUNDS,
        each=SEEDS_PER_ROUND,
        check=lambda files: compared.append(compare(*pair, files)),
    )
    total, adapter = sum(compared), pair[0].database.adapter
    core, plugin = dbt_environment.dbt_version, dbt_environment.version_of(f"dbt-{adapter}")
    record_property(
        "relations equal",
        f"{adapter} {plugin}, dbt {core}, generated seeds: {total} of {total} relations equal",
    )
    content = {"adapter": adapter, "adapter_version": plugin, "dbt_version": core, "generated_seeds": total}
    keep_result(f"{adapter}-{core}-generated-seeds", content)
    assert total >= 300


EXAMPLES = {
    "no rows": Seed("id,name\n"),
    "one column, all null": Seed("id\nnull\n\n"),
    "all columns of every type": Seed(
        "i,n,d,t,iso,b,s\n1,1.5,2024-01-01,2024-01-01 00:00:00,2024-01-01T00:00:00,true,a\n"
    ),
    "short rows": Seed("a,b,c\n1,2,3\n4\n5,6\n"),
    "500 columns": Seed(
        ",".join(f"c{n}" for n in range(500)) + "\n" + ",".join(str(n) for n in range(500)) + "\n"
    ),
    "column names twice and none": Seed("a,a,\n1,2,3\n"),
    "quoted numbers": Seed('a,b\n"1","2"\n"3","4"\n'),
    "leading zeros kept as text": Seed("zip\n01234\n", {"column_types": {"zip": "varchar(5)"}}),
    "null words in a column of text by type": Seed("a\nnull\nx\n\n", {"column_types": {"a": "varchar(5)"}}),
    "byte order mark and semicolons": Seed("\ufeffa;b\n1;x\n", {"delimiter": ";"}),
    "windows lines": Seed("a,b\r\n1,x\r\n2,y\r\n"),
    "a line break in a value": Seed('a,b\n1,"two\nlines"\n'),
    "big and small numbers": Seed("a,b\n9223372036854775807,0.000000001\n1,123456789.123456789\n"),
}


@pytest.mark.promise("Healed equals built")
def test_files_of_every_shape_are_healed_as_dbt_seed_loads_them(pair: tuple[DbtProject, DbtProject]) -> None:
    """Each of EXAMPLES that dbt itself can load on this database."""
    assert compare(*pair, list(EXAMPLES.values())) >= len(EXAMPLES) - 3


def test_a_database_is_a_database(database: Database) -> None:
    """The harness compares types, not only values."""
    if database.adapter == "postgres":
        database.execute(f"create schema {database.default_schema}")
    database.execute("create table t (a integer, b varchar(5))")
    assert [name for name, _ in database.columns("t")] == ["a", "b"]
    assert database.columns("t")[0][1] != database.columns("t")[1][1]


@pytest.mark.sqlite
@pytest.mark.postgres
def test_no_macro_is_called_for_each_value(make_project: ProjectFactory) -> None:
    """What takes most of the time of `dbt seed` where rows are inserted."""
    counted = "{% do log('a binding') %}{{ return(adapter.dispatch('get_binding_char', 'dbt')()) }}"
    project = make_project(
        {
            "seeds/s.csv": "id,name\n" + "".join(f"{n},name {n}\n" for n in range(50)),
            "macros/counted.sql": f"{{% macro get_binding_char() %}}{counted}{{% endmacro %}}",
        }
    )

    def bindings(*command: str) -> int:
        return sum(event["info"]["msg"] == "a binding" for event in project.dbt(*command).events)

    assert bindings("run-operation", "ensure_initialized") < 5
    healed = project.rows("s")
    assert bindings("seed", "--full-refresh") >= 100
    assert healed == project.rows("s")
